/**
 * Keys that sign audit files: Ed25519.
 *
 * @module
 */

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";

/** Signs lines of an audit file; a key in memory, or a service that has one. */
export interface AuditSigner {
  /** Which key it is: {@linkcode auditKeyId} of the public key. */
  readonly keyId: string;
  /**
   * Signs by Ed25519.
   *
   * @param bytes What to sign.
   * @returns The signature, 64 bytes.
   */
  sign(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** A pair of keys, as PEM. */
export interface AuditKeyPair {
  /** PKCS #8. Who has it can write what will be believed. */
  readonly privateKey: string;
  /** SPKI. */
  readonly publicKey: string;
}

/**
 * Makes a new pair of keys.
 *
 * @returns Both, as PEM.
 */
export function generateAuditKeys(): AuditKeyPair {
  return generateKeyPairSync("ed25519", {
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
}

/**
 * Signs with a private key that is in memory.
 *
 * @param privateKey The key: PKCS #8 as PEM.
 * @returns What an audit file takes.
 * @throws {TypeError} If it is no Ed25519 private key.
 */
export function auditSigner(privateKey: string): AuditSigner {
  const key = readKey("private", () => createPrivateKey(privateKey));
  // the public half follows from the private one
  const publicKey = readKey("private", () => createPublicKey(privateKey));
  const keyId = keyIdOf(publicKey);
  return Object.freeze({
    keyId,
    sign: (bytes: Uint8Array) => new Uint8Array(sign(null, bytes, key)),
  });
}

/** Checks signatures by one public key. */
export interface AuditVerifier {
  /** Which key it is. */
  readonly keyId: string;
  /**
   * Checks a signature.
   *
   * @param bytes What was signed.
   * @param signature The signature.
   * @returns Whether it is the key's.
   */
  verify(bytes: Uint8Array, signature: Uint8Array): boolean;
}

/**
 * Checks signatures by a public key.
 *
 * @param publicKey The key: SPKI as PEM.
 * @returns What checks.
 * @throws {TypeError} If it is no Ed25519 public key.
 */
export function auditVerifier(publicKey: string): AuditVerifier {
  if (publicKey.includes("PRIVATE KEY")) {
    throw new TypeError("Cannot use the key: it is a private key");
  }
  const key = readKey("public", () => createPublicKey(publicKey));
  return Object.freeze({
    keyId: keyIdOf(key),
    verify: (bytes: Uint8Array, signature: Uint8Array) =>
      signature.length === 64 && verify(null, bytes, key, signature),
  });
}

/**
 * The name of a key in audit files: the first 16 hexadecimal digits of the
 * SHA-256 of its public half in SPKI's binary form.
 *
 * @param publicKey The key: SPKI as PEM.
 * @returns The name.
 * @throws {TypeError} If it is no Ed25519 public key.
 */
export function auditKeyId(publicKey: string): string {
  return auditVerifier(publicKey).keyId;
}

function keyIdOf(key: KeyObject): string {
  const der = key.export({ type: "spki", format: "der" });
  return createHash("sha256").update(der).digest("hex").slice(0, 16);
}

function readKey(which: string, read: () => KeyObject): KeyObject {
  const problem = `Cannot use the key: it is no Ed25519 ${which} key as PEM`;
  let key: KeyObject;
  try {
    key = read();
  } catch (cause) {
    throw new TypeError(problem, { cause });
  }
  if (key.asymmetricKeyType !== "ed25519") throw new TypeError(problem);
  return key;
}
