/**
 * Calls of functions of the host by a plug-in in another process: what goes over
 * the pipe. A message is a header in JSON after its length (32 bits, little
 * endian), and then bytes one after the other, whose lengths the header tells.
 *
 * @module
 */

import { decodeNumber, encodeNumber } from "../../runtime/process/numbers.ts";
import type { WasmResult, WasmValue } from "../../runtime/types.ts";
import { decodeUtf8 } from "../utf8.ts";
import type { ExtismCall, ExtismMemory, ExtismService } from "./types.ts";
import { ExtismVars } from "./vars.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Blocks that the host makes for another process have handles from here on. */
const FIRST_OWN = 1n << 62n;

/** A name, and the length of what it stands for; -1 for nothing any more. */
type Sized = readonly [name: string, length: number];

/** A call, as JSON. */
interface SentCall {
  readonly namespace: string;
  readonly name: string;
  readonly args: readonly string[];
  readonly blocks: readonly Sized[];
  readonly vars: readonly Sized[];
  readonly maxVarBytes: number;
}

/** An answer, as JSON. */
interface SentReply {
  /** Undefined, one number, or several. */
  readonly results: readonly string[] | string | undefined;
  /** Lengths of the blocks that the host made. */
  readonly blocks: readonly number[];
  readonly vars: readonly Sized[];
  /** What the error says, if the host has set one. */
  readonly error: string | undefined;
  /** Whether the function has thrown besides. */
  readonly hasThrown: boolean;
}

const ENCODER = new TextEncoder();

/**
 * Writes a call, in the plug-in's process.
 *
 * @param call The call.
 * @returns The message.
 */
export function encodeCall(call: ExtismCall): Bytes {
  const blocks = new Map<bigint, Bytes>();
  for (const arg of call.args) {
    if (typeof arg !== "bigint" || blocks.has(arg)) continue;
    const bytes = call.memory.read(arg);
    if (bytes !== undefined) blocks.set(arg, bytes);
  }
  const vars = [...call.vars.entries()];
  const header: SentCall = {
    namespace: call.namespace,
    name: call.name,
    args: call.args.map(encodeNumber),
    blocks: Array.from(blocks, ([at, { length }]) => [String(at), length]),
    vars: vars.map(([name, { length }]) => [name, length]),
    maxVarBytes: call.vars.maxBytes,
  };
  return pack(header, [...blocks.values(), ...vars.map(([, value]) => value)]);
}

/**
 * Answers a call, in the host.
 *
 * @param message What {@linkcode encodeCall} gave, or anything.
 * @param service Answers it.
 * @returns The answer.
 * @throws {TypeError} If the message is none.
 */
export async function answerCall(
  message: Bytes,
  service: ExtismService,
): Promise<Bytes> {
  const { header, parts } = unpack(message);
  const sent = callOf(header);
  const memory = new SentMemory(parts, sent.blocks);
  const vars = new ExtismVars(sent.maxVarBytes);
  for (const [name, length] of sent.vars) vars.set(name, parts.take(length));
  vars.takeChanged();
  const args = sent.args.map((text) => numberOf(text));
  const { namespace, name } = sent;
  try {
    const results = await service({ namespace, name, args, memory, vars });
    return replyOf(results, memory, vars);
  } catch (error) {
    // the error that it has set is for the caller, before what it throws
    if (memory.error === undefined) throw error;
    return replyOf(undefined, memory, vars, true);
  }
}

/**
 * Takes an answer, in the plug-in's process.
 *
 * @param call The call.
 * @param message What {@linkcode answerCall} gave.
 * @returns What the function returned.
 * @throws {TypeError} If the message is none.
 * @throws {SandboxError} If a block has no room.
 */
export function applyReply(
  { memory, vars }: Pick<ExtismCall, "memory" | "vars">,
  message: Bytes,
): WasmResult {
  const { header, parts } = unpack(message);
  const { results, blocks, vars: changed, error, hasThrown } =
    header as SentReply;
  const handles = blocks.map((length) => memory.store(parts.take(length)));
  for (const [name, length] of changed) {
    if (length < 0) vars.delete(name);
    else vars.set(name, parts.take(length));
  }
  if (error !== undefined) memory.setError(error);
  if (hasThrown) throw new Error("the host function failed");
  const real = (text: string): WasmValue => {
    const value = numberOf(text);
    return typeof value === "bigint" && value >= FIRST_OWN
      ? handles[Number(value - FIRST_OWN)] ?? value
      : value;
  };
  if (results === undefined) return undefined;
  return typeof results === "string" ? real(results) : results.map(real);
}

/** The blocks that came with a call, and those that the host makes. */
class SentMemory implements ExtismMemory {
  readonly #blocks = new Map<bigint, Bytes>();
  readonly own: Bytes[] = [];
  error: string | undefined;

  constructor(parts: Parts, blocks: readonly Sized[]) {
    for (const [at, length] of blocks) {
      this.#blocks.set(BigInt(at), parts.take(length));
    }
  }

  read(handle: bigint): Bytes | undefined {
    const bytes = handle >= FIRST_OWN
      ? this.own[Number(handle - FIRST_OWN)]
      : this.#blocks.get(handle);
    return bytes?.slice();
  }

  store(bytes: Uint8Array): bigint {
    if (bytes.length === 0) return 0n;
    this.own.push(new Uint8Array(bytes));
    return FIRST_OWN + BigInt(this.own.length - 1);
  }

  setError(message: string): void {
    this.error = message;
  }
}

function replyOf(
  results: WasmResult | void,
  memory: SentMemory,
  vars: ExtismVars,
  hasThrown = false,
): Bytes {
  const changed = vars.takeChanged().map((name) =>
    [name, vars.get(name)] as const
  );
  const header: SentReply = {
    results: results === undefined
      ? undefined
      : typeof results === "object"
      ? results.map((value) => encodeNumber(value))
      : encodeNumber(results),
    blocks: memory.own.map(({ length }) => length),
    vars: changed.map(([name, value]) => [name, value?.length ?? -1]),
    error: memory.error,
    hasThrown,
  };
  const values = changed.flatMap(([, value]) => value ?? []);
  return pack(header, [...memory.own, ...values]);
}

function pack(header: SentCall | SentReply, parts: readonly Bytes[]): Bytes {
  const json = ENCODER.encode(JSON.stringify(header));
  const total = parts.reduce((sum, { length }) => sum + length, 0);
  const message = new Uint8Array(4 + json.length + total);
  new DataView(message.buffer).setUint32(0, json.length, true);
  message.set(json, 4);
  let at = 4 + json.length;
  for (const part of parts) {
    message.set(part, at);
    at += part.length;
  }
  return message;
}

/** The bytes after a header, one piece after the other. */
class Parts {
  readonly #bytes: Bytes;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
  }

  #at = 0;

  take(length: number): Bytes {
    const end = this.#at + length;
    if (!Number.isSafeInteger(length) || length < 0) throw noMessage();
    if (end > this.#bytes.length) throw noMessage();
    const part = this.#bytes.slice(this.#at, end);
    this.#at = end;
    return part;
  }
}

function unpack(message: Bytes): { header: unknown; parts: Parts } {
  if (message.length < 4) throw noMessage();
  const { buffer, byteOffset } = message;
  const length = new DataView(buffer, byteOffset).getUint32(0, true);
  if (length > message.length - 4) throw noMessage();
  const text = decodeUtf8(message.subarray(4, 4 + length));
  if (text === undefined) throw noMessage();
  try {
    return {
      header: JSON.parse(text),
      parts: new Parts(message.subarray(4 + length)),
    };
  } catch (cause) {
    throw noMessage(cause);
  }
}

/** A child may say anything: its guest may have taken it over. */
function callOf(header: unknown): SentCall {
  if (typeof header !== "object" || header === null) throw noMessage();
  const { namespace, name, args, blocks, vars, maxVarBytes } =
    header as Partial<SentCall>;
  if (
    typeof namespace !== "string" || typeof name !== "string" ||
    !Array.isArray(args) || !areSized(blocks) || !areSized(vars) ||
    typeof maxVarBytes !== "number" ||
    blocks.some(([at]) => !/^-?[0-9]{1,20}$/.test(at))
  ) throw noMessage();
  return { namespace, name, args, blocks, vars, maxVarBytes };
}

function areSized(value: unknown): value is readonly Sized[] {
  return Array.isArray(value) &&
    value.every((pair) =>
      Array.isArray(pair) && typeof pair[0] === "string" &&
      typeof pair[1] === "number"
    );
}

function numberOf(text: unknown): WasmValue {
  const value = decodeNumber(text);
  if (value === undefined) throw noMessage();
  return value;
}

function noMessage(cause?: unknown): TypeError {
  return new TypeError(
    "Cannot read what the plug-in's process sent: it is no call",
    { cause },
  );
}
