/**
 * The functions of the host that a guest in a process imports.
 *
 * @module
 */

import { printable } from "../../_text.ts";
import { type ImportName, SandboxError } from "../../errors.ts";
import type { ResolvedLimits } from "../../security/limits.ts";
import type {
  HostFunction,
  HostImports,
  Module,
  Signature,
  WasmValue,
} from "../types.ts";
import { ProtocolError } from "./frames.ts";
import type { Answer, SentImport } from "./messages.ts";
import { decodeNumbers, encodeNumber } from "./numbers.ts";

/** What a host function did wrong. */
interface HostFailure {
  readonly cause: unknown;
  readonly name: ImportName;
}

/** An import, as it is granted. */
interface Granted {
  readonly name: ImportName;
  readonly value: HostFunction | WasmValue;
}

/**
 * What is granted, in the order in which it is numbered.
 *
 * @param imports What the host grants.
 * @returns Names and values.
 */
function listImports(imports: HostImports): readonly Granted[] {
  return Object.entries(imports).flatMap(([module, namespace]) =>
    Object.entries(namespace).map(([name, value]) => ({
      name: { module, name },
      value,
    }))
  );
}

/**
 * What a child is told of the imports.
 *
 * @param imports What the host grants.
 * @returns Plain data.
 */
export function sentImports(imports: HostImports): readonly SentImport[] {
  return listImports(imports).map(({ name, value }) =>
    typeof value === "function" ? name : { ...name, value: encodeNumber(value) }
  );
}

/** Calls functions of the host for one instance. */
export class HostFunctions {
  readonly #granted: readonly Granted[];
  readonly #module: Module;
  #maxCalls: number;
  #calls = 0;
  #failure: HostFailure | undefined;

  /**
   * Constructs it.
   *
   * @param imports What the host grants.
   * @param module The module, which says what it imports and of which type.
   * @param limits The limits of the guest.
   */
  constructor(imports: HostImports, module: Module, limits: ResolvedLimits) {
    this.#granted = listImports(imports);
    this.#module = module;
    this.#maxCalls = limits.hostCalls ?? Infinity;
  }

  /**
   * Calls one of them.
   *
   * @param question Which, and with what; trusted in nothing.
   * @returns What the child is told.
   * @throws {ProtocolError} If the child may not ask so.
   */
  async call(
    { index, args }: {
      readonly index: number;
      readonly args: readonly string[];
    },
  ): Promise<Omit<Answer, "seq">> {
    const { value: fn, name } = this.#granted[index] ?? {};
    const signature = name === undefined ? undefined : this.#signature(name);
    if (typeof fn !== "function" || !name || !signature) {
      throw new ProtocolError("a call of a function that it does not import");
    }
    const values = decodeNumbers(args, signature.params);
    if (values === undefined) {
      throw new ProtocolError("arguments of another type");
    }
    this.count();
    try {
      return { values: encodeResult(await fn(...values)) };
    } catch (cause) {
      this.#failure ??= { cause, name };
      return { problem: printable(reasonOf(cause).slice(0, 4_096)) };
    }
  }

  /** At the end of each call a plug-in's child may tell of it once. */
  beginCall(): void {
    this.#maxCalls++;
  }

  /**
   * Counts a call of the host; the child counts as well.
   *
   * @throws {ProtocolError} If it is one too many.
   */
  count(): void {
    if (++this.#calls > this.#maxCalls) {
      throw new ProtocolError("more calls of the host than it is allowed");
    }
  }

  /**
   * Puts what a host function threw into the error that a child made of it.
   *
   * @param error What the child says.
   * @returns The error for the caller.
   */
  explain(error: SandboxError): SandboxError {
    if (!SandboxError.is(error, "host-function-failed")) return error;
    if (this.#failure === undefined) return error;
    const { cause, name } = this.#failure;
    return new SandboxError("host-function-failed", error.message, {
      cause,
      details: { import: name },
    });
  }

  #signature({ module, name }: ImportName): Signature | undefined {
    return this.#module.imports.find((need) =>
      need.kind === "function" && need.module === module && need.name === name
    )?.signature;
  }
}

/** More than a function of WebAssembly's may have. */
const MAX_RESULTS = 1_000;

/** Whatever was thrown: a getter of it may throw as well. */
function reasonOf(cause: unknown): string {
  try {
    return String(cause instanceof Error ? cause.message : cause);
  } catch {
    return "it threw what is no text";
  }
}

/** The guard in the child looks whether these are of the right types. */
function encodeResult(result: unknown): readonly string[] {
  const values = result === undefined
    ? []
    : Array.isArray(result)
    ? result
    : [result];
  if (values.length > MAX_RESULTS) {
    throw new TypeError(`it must not return ${values.length} numbers`);
  }
  return values.map((value: unknown) => {
    if (typeof value === "number" || typeof value === "bigint") {
      return encodeNumber(value);
    }
    throw new TypeError(`it must return numbers, not a ${typeof value}`);
  });
}
