/** What `bench` compares: the same call in different places. */

import { reasonOf } from "../../_text.ts";
import { SandboxError } from "../../errors.ts";
import { Sandbox } from "../../sandbox.ts";
import type { SandboxOptions } from "../../sandbox_options.ts";
import type { SecurityPolicy } from "../../security/policy.ts";
import type { Settings } from "../limits.ts";
import { jsonText, numbersJson } from "../output.ts";
import type { WasmResult } from "../../runtime/types.ts";
import { type BenchInput, rawCall } from "./raw.ts";
import type { SideName } from "./side_names.ts";

/** What is called. */
export interface Subject {
  /** The module. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The export. */
  readonly name: string;
  /** What it takes. */
  readonly input: BenchInput;
  /** Limits, features, and the names of the guest's memory functions. */
  readonly settings: Settings;
  /** What a guest that imports WASI may do. */
  readonly policy: SecurityPolicy;
  /** Whether the module imports anything. */
  readonly hasImports: boolean;
}

/** A side, ready to be called. */
export interface OpenSide extends AsyncDisposable {
  /** Calls once. */
  readonly call: () => unknown;
  /** Whether a call gives its result at once, and no promise of it. */
  readonly isSync: boolean;
  /** Lets go of it. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What the table calls them. */
export const SIDE_TITLES: Readonly<Record<SideName, string>> = Object.freeze({
  raw: "V8 alone, no limits",
  sync: "inline, callSync",
  inline: "inline, call",
  process: "process, call",
  wasmtime: "Wasmtime, call",
});

const PLACES: Readonly<
  Record<
    Exclude<SideName, "raw">,
    Pick<SandboxOptions, "isolation" | "runtime">
  >
> = Object.freeze({
  sync: { isolation: "inline" },
  inline: { isolation: "inline" },
  process: { isolation: "process" },
  wasmtime: { isolation: "inline", runtime: "wasmtime" },
});

/**
 * Opens a side.
 *
 * @param side Which one.
 * @param subject What it calls.
 * @returns The side.
 */
export async function openSide(
  side: SideName,
  subject: Subject,
): Promise<OpenSide> {
  const { bytes, name, input, settings, policy } = subject;
  if (side === "raw") {
    const module = await WebAssembly.compile(bytes);
    const call = await rawCall(module, name, input, settings.abi);
    return {
      call,
      isSync: true,
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
  const { limits, features, abi } = settings;
  const sandbox = await Sandbox.create({
    module: bytes,
    limits,
    features,
    abi,
    policy,
    ...PLACES[side],
  });
  const [argument, options] = argumentOf(input);
  return {
    isSync: side === "sync",
    call: side === "sync"
      ? () => sandbox.callSync(name, argument, options)
      : () => sandbox.call(name, argument, options),
    [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose](),
  };
}

/** What a sandbox takes of an input. */
function argumentOf(
  input: BenchInput,
): readonly [unknown, { readonly abi: "raw" | "json" | "bytes" }] {
  switch (input.kind) {
    case "numbers":
      return [input.args, { abi: "raw" }];
    case "json":
      return [input.value, { abi: "json" }];
    case "bytes":
      return [input.bytes, { abi: "bytes" }];
  }
}

/**
 * A result, to compare and to print.
 *
 * @param result What a call gave.
 * @param input What it took.
 * @returns A line.
 */
export function resultText(result: unknown, input: BenchInput): string {
  switch (input.kind) {
    case "numbers":
      return jsonText(numbersJson(result as WasmResult));
    case "json":
      return jsonText(result);
    case "bytes":
      return jsonText((result as Uint8Array).toBase64());
  }
}

/**
 * Why a side cannot be had.
 *
 * @param side The side.
 * @param subject What it would have called.
 * @param thrown What opening it threw.
 * @returns A reason, and what to do about it.
 */
export function whyNot(
  side: SideName,
  { hasImports }: Subject,
  thrown: unknown,
): string {
  if (side === "raw" && hasImports) {
    return "the module imports what V8 alone does not have";
  }
  if (!SandboxError.is(thrown, "runtime-unavailable")) return reasonOf(thrown);
  return `${thrown.details.reason} (wasm-sandbox backends tells how to get it)`;
}
