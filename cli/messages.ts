/**
 * The message for an export that takes JSON or bytes.
 *
 * @module
 */

import { ValidationError } from "@cliffy/command";
import { quote, reasonOf } from "../_text.ts";
import { SandboxError } from "../errors.ts";
import { cannotRead } from "./file_errors.ts";
import type { CliHost } from "./host.ts";
import { STDIN } from "./session.ts";

/** Where a message may come from. */
export interface MessageFlags {
  /** `--input`: the message itself. */
  readonly input?: string;
  /** `--input-file`: the path of a file, or `-`. */
  readonly inputFile?: string;
}

/** What else is known of a message. */
export interface MessageOptions {
  /** The export, for error messages. */
  name: string;
  /** Arguments without a flag; at most one, which is `-`. */
  inputs: readonly string[];
  /** Longest message, in bytes. */
  maxBytes: number;
}

/**
 * Reads the message that the user gave.
 *
 * @param host Where files and the standard input are.
 * @param flags Where it comes from.
 * @param options Where else it may come from, and how long it may be.
 * @returns Its bytes; undefined if there is none.
 * @throws {ValidationError} If there are several, or it cannot be read.
 * @throws {SandboxError} With code `limit-exceeded`.
 */
export async function readMessage(
  host: CliHost,
  { input, inputFile }: MessageFlags,
  { name, inputs, maxBytes }: MessageOptions,
): Promise<Uint8Array | undefined> {
  const given = [input, inputFile, ...inputs].filter((it) => it !== undefined);
  if (given.length > 1 || inputs.some((it) => it !== STDIN)) {
    throw new ValidationError(
      `Cannot call ${quote(name)}: it takes one message, not numbers ` +
        "(give it with --input, --input-file or -)",
    );
  }
  const bytes = input !== undefined
    ? new TextEncoder().encode(input)
    : await readFile(host, inputFile ?? inputs[0], maxBytes);
  if (bytes !== undefined && bytes.length > maxBytes) throw tooLong(maxBytes);
  return bytes;
}

/**
 * Parses a message that must be JSON.
 *
 * @param bytes The message; null, if left out.
 * @returns The value.
 * @throws {ValidationError} If it is no JSON.
 */
export function parseMessage(bytes: Uint8Array | undefined): unknown {
  if (bytes === undefined) return null;
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new ValidationError(
      `The input is not JSON: ${reasonOf(cause)} (--bytes sends anything)`,
      { cause },
    );
  }
}

async function readFile(
  host: CliHost,
  path: string | undefined,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  if (path === undefined) return undefined;
  if (path === STDIN) return await host.readStdin(maxBytes);
  try {
    return await host.readFile(path, maxBytes);
  } catch (cause) {
    throw cannotRead("the input", path, cause);
  }
}

function tooLong(allowed: number): SandboxError<"limit-exceeded"> {
  const suggestion = "raise messageBytes, or send less";
  return new SandboxError(
    "limit-exceeded",
    `Cannot send the input: it is longer than messageBytes, which is ${allowed} (${suggestion})`,
    { details: { limit: "messageBytes", allowed, suggestion } },
  );
}
