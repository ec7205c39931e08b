/**
 * What bounds a guest's requests.
 *
 * @module
 */

import type { ResolvedLimits } from "../../security/limits.ts";

/** Finds the addresses of a host. */
export type Resolve = (
  host: string,
  options: { readonly signal: AbortSignal },
) => Promise<readonly string[]>;

/** Options of a guest's requests. */
export interface HttpOptions {
  /**
   * Most redirects that are followed for one request, 0 to 20. With 0 the guest
   * is given what redirects it.
   *
   * @default {5}
   */
  readonly maxRedirects?: number;
  /**
   * Longest head of a request and of a response, 256 bytes to 1 MiB.
   *
   * @default {16_384}
   */
  readonly maxHeaderBytes?: number;
  /**
   * Longest body of a response as it comes over the network; nothing is
   * decompressed.
   *
   * @default {the limit messageBytes}
   */
  readonly maxResponseBytes?: number;
  /**
   * Time for one request with all its redirects. The deadline of the call holds
   * besides, and ends the guest.
   *
   * @default {30_000}
   */
  readonly timeoutMs?: number;
  /**
   * Finds the addresses of a host by other means than the system's. What it
   * gives is checked like any answer.
   */
  readonly resolve?: Resolve;
  /**
   * Certificates of authorities to trust in place of the well-known ones, as
   * PEM.
   */
  readonly caCertificates?: readonly string[];
}

/** Options with every default filled in. */
export interface ResolvedHttpOptions {
  /** Most redirects. */
  readonly maxRedirects: number;
  /** Longest head. */
  readonly maxHeaderBytes: number;
  /** Longest body of a response. */
  readonly maxResponseBytes: number;
  /** Time for one request. */
  readonly timeoutMs: number;
  /** Finds addresses, if the system does not. */
  readonly resolve: Resolve | undefined;
  /** Authorities to trust, if not the well-known ones. */
  readonly caCertificates: readonly string[] | undefined;
}

/** Timers of more than 2³¹ ms fire at once. */
const LONGEST_MS = 2 ** 31 - 1;
/** As the limit messageBytes. */
const MOST_BYTES = 512 * 2 ** 20;

/**
 * Checks options and fills in the defaults.
 *
 * @param options What the caller gave.
 * @param limits The limits of the guest.
 * @returns All options.
 * @throws {RangeError} If a number is out of range.
 * @throws {TypeError} If something else is not what it must be.
 */
export function resolveHttpOptions(
  options: HttpOptions,
  limits: Pick<ResolvedLimits, "messageBytes">,
): ResolvedHttpOptions {
  const {
    maxRedirects = 5,
    maxHeaderBytes = 16_384,
    maxResponseBytes = limits.messageBytes,
    timeoutMs = 30_000,
    resolve,
    caCertificates,
  } = options;
  checkNumber("maxRedirects", maxRedirects, 0, 20);
  checkNumber("maxHeaderBytes", maxHeaderBytes, 256, 2 ** 20);
  checkNumber("maxResponseBytes", maxResponseBytes, 0, MOST_BYTES);
  checkNumber("timeoutMs", timeoutMs, 1, LONGEST_MS);
  if (resolve !== undefined && typeof resolve !== "function") {
    throw new TypeError("Cannot set http.resolve: it is no function");
  }
  return Object.freeze({
    maxRedirects,
    maxHeaderBytes,
    maxResponseBytes,
    timeoutMs,
    resolve,
    caCertificates: checkCertificates(caCertificates),
  });
}

function checkNumber(
  name: string,
  value: number,
  min: number,
  max: number,
): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new RangeError(
    `Cannot set http.${name} to ${String(value)}: must be a whole number ` +
      `from ${min} to ${max}`,
  );
}

function checkCertificates(
  list: readonly string[] | undefined,
): readonly string[] | undefined {
  if (list === undefined) return undefined;
  const isList = Array.isArray(list) && list.length > 0 &&
    list.every((each) =>
      typeof each === "string" && each.includes("-----BEGIN CERTIFICATE-----")
    );
  if (isList) return Object.freeze([...list]);
  throw new TypeError(
    "Cannot set http.caCertificates: must be a list of certificates as PEM",
  );
}
