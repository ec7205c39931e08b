/**
 * Guests for tests, made without a toolchain.
 *
 * @module
 */

import {
  assemble,
  type Bytes,
  type Code,
  constant,
  region,
  SPIN,
  UNREACHABLE,
} from "./_assemble.ts";

/**
 * What an export of a fake guest does with each request: `"echo"` replies with
 * the request, `"loop"` never ends, `"trap"` traps; otherwise it replies with
 * JSON or with bytes, or fails for a reason as docs/guest-abi.md has it.
 */
export type FakeExport =
  | "echo"
  | "loop"
  | "trap"
  | { readonly reply: unknown }
  | { readonly bytes: Uint8Array }
  | { readonly fail: string };

/** Options of {@linkcode fakeGuest}. */
export interface FakeGuestOptions {
  /** What it does when it is instantiated, if it does anything. */
  readonly start?: "loop" | "trap";
  /**
   * Pages of its memory, of 65,536 bytes each.
   *
   * @default {as many as replies and a request of 1 MiB need}
   */
  readonly pages?: number;
}

const PAGE_BYTES = 65_536;
/** A request of the default `messageBytes`. */
const REQUEST_PAGES = 16;
const ENCODER = new TextEncoder();

/**
 * Makes a real module that takes messages, as docs/guest-abi.md describes them.
 *
 * @example A guest that answers, and one that does not
 * ```ts
 * import { Sandbox } from "@wasm-sandbox/core";
 * import { fakeGuest } from "@wasm-sandbox/core/testing";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const module = fakeGuest({ greet: { reply: { text: "hi" } }, spin: "loop" });
 * await using sandbox = await Sandbox.create({
 *   module,
 *   limits: { timeoutMs: 100 },
 * });
 * assertEquals(await sandbox.call("greet", {}), { text: "hi" });
 * await assertRejects(() => sandbox.call("spin", {}), Error, "timeoutMs");
 * ```
 *
 * @param exports What its exports do, by name.
 * @param options Its start and its memory.
 * @returns The module.
 * @throws {TypeError} If a reply is no JSON.
 */
export function fakeGuest(
  exports: Readonly<Record<string, FakeExport>>,
  { start, pages }: FakeGuestOptions = {},
): Uint8Array<ArrayBuffer> {
  const data: number[] = [];
  const keep = (bytes: Uint8Array) => {
    const at = data.length;
    for (const byte of bytes) data.push(byte);
    return { at, length: bytes.length };
  };
  const answers = Object.entries(exports).map(([name, what]): Code => ({
    type: 2,
    code: codeOf(name, what, keep),
    name,
  }));
  // replies lie below the page where requests begin
  const request = Math.max(1, Math.ceil(data.length / PAGE_BYTES)) * PAGE_BYTES;
  const functions: readonly Code[] = [
    { type: 1, code: constant(request), name: "wasm_sandbox_alloc" },
    { type: 3, code: [], name: "wasm_sandbox_free" },
    ...answers,
    { type: 0, code: start === "loop" ? SPIN : UNREACHABLE },
  ];
  const fails = Object.values(exports).some((what) =>
    typeof what === "object" && "fail" in what
  );
  return assemble({
    imports: fails ? [FAIL] : [],
    functions: start === undefined ? functions.slice(0, -1) : functions,
    pages: pages ?? request / PAGE_BYTES + REQUEST_PAGES,
    data: { at: 0, bytes: data },
    ...(start === undefined ? {} : { start: functions.length - 1 }),
  });
}

/** By which a guest says that it has failed; its index is 0. */
const FAIL = { module: "wasm_sandbox", name: "fail", type: 3 };

type Keep = (
  bytes: Uint8Array,
) => { readonly at: number; readonly length: number };

function codeOf(name: string, what: FakeExport, keep: Keep): Bytes {
  if (what === "loop") return [...SPIN, ...region(0, 0)];
  if (what === "trap") return UNREACHABLE;
  if (what === "echo") {
    // pointer << 32 | length
    return [0x20, 0, 0xad, 0x42, 32, 0x86, 0x20, 1, 0xad, 0x84];
  }
  if ("fail" in what) {
    const { at, length } = keep(ENCODER.encode(what.fail));
    return [...constant(at), ...constant(length), 0x10, 0, ...region(0, 0)];
  }
  const { at, length } = keep(
    "bytes" in what ? what.bytes : jsonBytes(name, what.reply),
  );
  return region(at, length);
}

function jsonBytes(name: string, reply: unknown): Uint8Array {
  const text: string | undefined = JSON.stringify(reply);
  if (text === undefined) throw new TypeError(`reply of ${name} is no JSON`);
  return ENCODER.encode(text);
}
