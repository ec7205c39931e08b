/**
 * The hash chain of an audit file: each line names the one before it.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { asciiJson, type Fields } from "./_lines.ts";
import type { AuditSigner } from "./keys.ts";

/** What the first line of a chain has in the place of a hash. */
export const NO_HASH: string = "0".repeat(64);

/** How a line of a chain begins and ends; in between, JSON. */
const LINE =
  /^\{"index":([1-9]\d{0,15}),"previous":"([0-9a-f]{64})","type":"([a-z]{1,32})".*,"hash":"([0-9a-f]{64})"\}$/;

/** Length of `,"hash":"…"}`. */
const TAIL_LENGTH = 75;

/** A line of a chain, taken apart. */
export interface ChainLine {
  /** Place in the chain, from 1. */
  readonly index: number;
  /** Hash of the line before it. */
  readonly previous: string;
  /** What kind of line it is. */
  readonly type: string;
  /** The hash that it states. */
  readonly hash: string;
  /** The hash that its text has. */
  readonly actual: string;
  /** All that it says, parsed. */
  readonly fields: Fields;
}

/** Where a chain stands: what the next line builds on. */
export interface ChainState {
  /** Index of the last line; 0 before the first. */
  readonly index: number;
  /** Hash of the last line. */
  readonly hash: string;
}

/** Adds a line to a chain: its text, without the line end, and the new state. */
export function chainLine(
  state: ChainState,
  fields: Fields,
): { readonly line: string; readonly state: ChainState } {
  const index = state.index + 1;
  const body = asciiJson({ index, previous: state.hash, ...fields });
  const text = body.slice(0, -1);
  const hash = sha256(text);
  return { line: `${text},"hash":"${hash}"}`, state: { index, hash } };
}

/** Adds a line that is signed; what is signed is all before `,"signature"`. */
export async function signedLine(
  state: ChainState,
  fields: Fields,
  signer: AuditSigner,
): Promise<{ readonly line: string; readonly state: ChainState }> {
  const { index, hash: previous } = state;
  const signed = { ...fields, key: signer.keyId };
  const text = asciiJson({ index: index + 1, previous, ...signed });
  const bytes = new TextEncoder().encode(text.slice(0, -1));
  const signature = (await signer.sign(bytes)).toHex();
  return chainLine(state, { ...signed, signature });
}

/** What a signed line's signature is over. */
export function signedText(line: string): string {
  return line.slice(0, line.lastIndexOf(',"signature":"'));
}

/** Takes a line apart; undefined, if it is none of a chain. */
export function parseLine(line: string): ChainLine | undefined {
  const [, index, previous, type, hash] = LINE.exec(line) ?? [];
  if (
    previous === undefined || type === undefined || hash === undefined ||
    /[^\x20-\x7e]/.test(line)
  ) return undefined;
  const fields = parseObject(line);
  if (fields === undefined || fields.type !== type) return undefined;
  const actual = sha256(line.slice(0, -TAIL_LENGTH));
  return { index: Number(index), previous, type, hash, actual, fields };
}

function parseObject(line: string): Fields | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
