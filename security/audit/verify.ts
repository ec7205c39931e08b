/**
 * Verification of audit files.
 *
 * @module
 */

import { type ChainLine, NO_HASH, parseLine, signedText } from "./chain.ts";
import { fileNumbers, numberedPath } from "./_files.ts";
import { MAX_LINE_BYTES } from "./_lines.ts";
import { type AuditVerifier, auditVerifier } from "./keys.ts";

/** Options of {@linkcode verifyAudit}. */
export interface VerifyAuditOptions {
  /**
   * Ed25519 public key, SPKI as PEM. With it a chain is good only if there is
   * a signature, and every one is this key's.
   */
  publicKey?: string;
  /**
   * Whether the chain must begin with its first line, so that no older file
   * was deleted.
   *
   * @default {false}
   */
  requireStart?: boolean;
  /**
   * Whether the last line must be that of a log that was closed, and signed if
   * there is a key: then nothing was cut off.
   *
   * @default {false}
   */
  requireClosed?: boolean;
}

/** The first thing that is wrong. */
export interface BadAuditLine {
  /** The file, or `""` where lines were given. */
  readonly file: string;
  /** Line within the file, from 1. */
  readonly line: number;
  /** What is wrong. */
  readonly reason: string;
}

/** What {@linkcode verifyAudit} found. */
export interface AuditVerification {
  /** Whether nothing is wrong. */
  readonly ok: boolean;
  /** Lines that are good. */
  readonly lines: number;
  /** Index within the chain of the first of them: 1, unless older are gone. */
  readonly firstIndex: number;
  /** Signatures that are good; none is looked at without a key. */
  readonly signatures: number;
  /** Good lines at the end that no good signature covers. */
  readonly unsigned: number;
  /** Events that the log says were dropped. */
  readonly dropped: number;
  /** Whether the last line is that of a log that was closed. */
  readonly closed: boolean;
  /** What is wrong first, if something is. */
  readonly firstBad?: BadAuditLine;
}

/** A line, and where it comes from. */
interface PlacedLine {
  readonly file: string;
  readonly line: number;
  /** Undefined, if it is too long, or not ended. */
  readonly text: string | undefined;
}

/**
 * Verifies files of one chain.
 *
 * Lines that were changed, removed, put in or moved are found, and so are those
 * of another chain. Lines that were removed at the end are found only with
 * `requireClosed`, and lines at the beginning, which rotation removes too, only
 * with `requireStart`. Without a key all of it can be forged as a whole.
 *
 * @param paths The files, the oldest first; see {@linkcode auditFiles}.
 * @param options The key, and what is required.
 * @returns What was found.
 * @throws {TypeError} If the key is no Ed25519 public key.
 * @throws {Deno.errors.NotFound} And the like, if a file cannot be read.
 */
export async function verifyAudit(
  paths: readonly string[],
  options: VerifyAuditOptions = {},
): Promise<AuditVerification> {
  return await verifyPlaced(linesOfFiles(paths), options);
}

/**
 * Verifies lines of one chain that are in memory or come from elsewhere; see
 * {@linkcode verifyAudit}.
 *
 * @param lines The lines, without their ends, the oldest first.
 * @param options The key, and what is required.
 * @returns What was found; `file` is `""`.
 * @throws {TypeError} If the key is no Ed25519 public key.
 */
export async function verifyAuditLines(
  lines: Iterable<string> | AsyncIterable<string>,
  options: VerifyAuditOptions = {},
): Promise<AuditVerification> {
  return await verifyPlaced(placed(lines), options);
}

/**
 * The files of a log, by what rotation calls them.
 *
 * @param path Path of the newest: `audit.jsonl`.
 * @returns Paths of those that hold something, the oldest first.
 * @throws {Deno.errors.PermissionDenied} And the like.
 */
export async function auditFiles(path: string): Promise<string[]> {
  const numbers = await fileNumbers(path);
  return numbers.reverse().map((number) => numberedPath(path, number));
}

async function verifyPlaced(
  lines: AsyncIterable<PlacedLine>,
  options: VerifyAuditOptions,
): Promise<AuditVerification> {
  const checker = new ChainChecker(options);
  let last: PlacedLine = { file: "", line: 0, text: "" };
  for await (const each of lines) {
    last = each;
    const reason = checker.check(each.text);
    if (reason !== undefined) return checker.result(badLine(each, reason));
  }
  const reason = checker.end();
  return checker.result(
    reason === undefined ? undefined : badLine(last, reason),
  );
}

function badLine({ file, line }: PlacedLine, reason: string): BadAuditLine {
  return { file, line, reason };
}

/** Looks at one line after the other. */
class ChainChecker {
  readonly #options: VerifyAuditOptions;
  readonly #verifier: AuditVerifier | undefined;
  #last: ChainLine | undefined;
  #chain: unknown;
  #firstIndex = 0;
  #lines = 0;
  #signatures = 0;
  #unsigned = 0;
  #dropped = 0;

  constructor(options: VerifyAuditOptions) {
    this.#options = options;
    this.#verifier = options.publicKey === undefined
      ? undefined
      : auditVerifier(options.publicKey);
  }

  /** Takes the next line; says what is wrong with it. */
  check(text: string | undefined): string | undefined {
    if (text === undefined) return "it is cut off, or longer than any line is";
    const line = parseLine(text);
    if (line === undefined) return "it is no line of an audit chain";
    const reason = this.#link(line) ?? this.#look(line, text);
    if (reason !== undefined) return reason;
    if (this.#lines === 0) this.#firstIndex = line.index;
    this.#last = line;
    this.#lines++;
    return undefined;
  }

  /** Says what is missing at the end. */
  end(): string | undefined {
    const { requireClosed = false } = this.#options;
    if (this.#lines === 0) return "there are no lines";
    if (this.#verifier !== undefined && this.#signatures === 0) {
      return `no line is signed by the key ${this.#verifier.keyId}`;
    }
    if (requireClosed && !this.#closed) {
      return "the log was not closed here: lines may have been cut off";
    }
    return undefined;
  }

  result(firstBad: BadAuditLine | undefined): AuditVerification {
    return {
      ok: firstBad === undefined,
      lines: this.#lines,
      firstIndex: this.#firstIndex,
      signatures: this.#signatures,
      unsigned: this.#unsigned,
      dropped: this.#dropped,
      closed: this.#closed,
      ...(firstBad === undefined ? {} : { firstBad }),
    };
  }

  get #closed(): boolean {
    if (this.#last?.type !== "close") return false;
    return this.#verifier === undefined || this.#unsigned === 0;
  }

  /** Whether a line follows the one before it. */
  #link(line: ChainLine): string | undefined {
    if (line.hash !== line.actual) return "its text is not what was hashed";
    const { requireStart = false } = this.#options;
    const last = this.#last;
    if (last === undefined) {
      if (requireStart && line.index !== 1) {
        return `the chain begins with line ${line.index} and not with 1`;
      }
      const isStart = line.previous === NO_HASH;
      if (isStart !== (line.index === 1)) return "it begins no chain";
      return line.type === "begin" ? undefined : "it begins no file";
    }
    if (line.index !== last.index + 1) {
      return `it is number ${line.index} of its chain, and ` +
        `${last.index + 1} is due`;
    }
    return line.previous === last.hash
      ? undefined
      : "it does not follow the line before it";
  }

  /** What a line says of itself, by its type. */
  #look(line: ChainLine, text: string): string | undefined {
    const { type, fields } = line;
    this.#unsigned++;
    if (type === "dropped") {
      const count = Number.isSafeInteger(fields.count)
        ? Number(fields.count)
        : -1;
      if (count < 0) return "its count is no whole number";
      this.#dropped += count;
    }
    if (type === "begin") {
      if (fields.version !== 1) return "its version is not 1";
      this.#chain ??= fields.chain;
      if (fields.chain !== this.#chain) return "it is of another chain";
    }
    if (type !== "signature" && type !== "close") return undefined;
    return this.#checkSignature(line, text);
  }

  #checkSignature(
    { type, fields: { key, signature } }: ChainLine,
    text: string,
  ): string | undefined {
    const verifier = this.#verifier;
    if (verifier === undefined) return undefined;
    // a log that was closed without a key
    if (type === "close" && signature === undefined) return undefined;
    if (key !== verifier.keyId) return "it is signed by another key";
    const bytes = new TextEncoder().encode(signedText(text));
    if (!verifier.verify(bytes, fromHex(signature))) {
      return "its signature is wrong";
    }
    this.#signatures++;
    this.#unsigned = 0;
    return undefined;
  }
}

function fromHex(text: unknown): Uint8Array {
  const isHex = typeof text === "string" && /^(?:[0-9a-f]{2})*$/.test(text);
  return isHex ? Uint8Array.fromHex(text) : new Uint8Array();
}

async function* placed(
  lines: Iterable<string> | AsyncIterable<string>,
): AsyncGenerator<PlacedLine> {
  let line = 0;
  for await (const text of lines) yield { file: "", line: ++line, text };
}

async function* linesOfFiles(
  paths: readonly string[],
): AsyncGenerator<PlacedLine> {
  for (const file of paths) {
    let line = 0;
    for await (const text of linesOf(file)) {
      yield { file, line: ++line, text };
    }
  }
}

/** Lines of a file; the last is undefined if it is too long or has no end. */
async function* linesOf(path: string): AsyncGenerator<string | undefined> {
  const file = await Deno.open(path);
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let rest = "";
  for await (const chunk of file.readable) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
    if (rest.length > MAX_LINE_BYTES) break;
  }
  if (rest !== "") yield undefined;
}
