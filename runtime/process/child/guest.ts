/**
 * The guest of this process.
 *
 * @module
 */

import {
  type ResolvedLimits,
  resolveLimits,
} from "../../../security/limits.ts";
import { InlineInstance } from "../../inline_instance.ts";
import type {
  HostFunction,
  HostImports,
  Module,
  WasmValue,
} from "../../types.ts";
import { V8Runtime } from "../../v8/runtime.ts";
import type { Open, SentImport } from "../messages.ts";
import { decodeNumber, encodeNumber } from "../numbers.ts";
import type { Pipe } from "./pipe.ts";

/** A module that is open. */
export interface OpenGuest {
  /** The module. */
  readonly module: Module;
  /**
   * Makes an instance.
   *
   * @param fuel The fuel that is left, if it is counted.
   * @returns The instance.
   */
  instantiate(fuel: number | undefined): Promise<InlineInstance>;
  /** Sends the events that were kept. */
  flush(): void;
}

/** What a guest is opened with. */
export interface GuestParts {
  /** What the host wants. */
  readonly open: Open;
  /** The way to the host. */
  readonly pipe: Pipe;
  /** Runs it; the host kills this process at the deadline. */
  readonly runtime: V8Runtime;
  /** The limits. */
  readonly limits: ResolvedLimits;
  /** What may be imported. */
  readonly imports: HostImports;
}

/**
 * Compiles a module.
 *
 * @param open What the host wants.
 * @param bytes The module's bytes.
 * @param pipe The way to the host.
 * @returns The guest.
 */
export async function openGuest(
  open: Open,
  bytes: Uint8Array<ArrayBuffer>,
  pipe: Pipe,
): Promise<OpenGuest> {
  const { features } = open;
  // JSON has no word for no deadline
  const limits = resolveLimits({ timeoutMs: Infinity, ...open.limits });
  const imports = importsOf(open.imports, pipe);
  const runtime = new V8Runtime({ keepsDeadlines: false });
  const module = await runtime.compile(bytes, { limits, features });
  const parts: GuestParts = { open, pipe, runtime, limits, imports };
  if (module.imports.every((need) => Object.hasOwn(imports, need.module))) {
    return new PlainGuest(module, parts);
  }
  // a part of the program of its own: most of it is not needed otherwise
  const { openWasiGuest } = await import("./wasi_guest.ts");
  return await openWasiGuest(module, parts);
}

/** A guest that imports nothing but functions of the host. */
class PlainGuest implements OpenGuest {
  readonly module: Module;
  readonly #parts: GuestParts;

  constructor(module: Module, parts: GuestParts) {
    this.module = module;
    this.#parts = parts;
  }

  async instantiate(fuel: number | undefined): Promise<InlineInstance> {
    const { runtime, imports, limits } = this.#parts;
    const instance = await runtime.instantiate(this.module, {
      imports,
      ...(fuel === undefined ? {} : { limits: { fuel } }),
    });
    return new InlineInstance(instance, { wasi: undefined, limits });
  }

  flush(): void {}
}

type Namespace = Record<string, HostFunction | WasmValue>;

function importsOf(
  sent: readonly SentImport[],
  pipe: Pipe,
): Record<string, Namespace> {
  const imports: Record<string, Namespace> = Object.create(null);
  for (const [index, { module, name, value }] of sent.entries()) {
    const namespace: Namespace = imports[module] ??= Object.create(null);
    namespace[name] = value === undefined
      ? askedOf(pipe, index)
      : decodeNumber(value) ?? 0;
  }
  return imports;
}

/** A function that the host runs. */
function askedOf(pipe: Pipe, index: number): HostFunction {
  return (...args) => {
    const { answer } = pipe.ask({
      what: "call",
      index,
      args: args.map(encodeNumber),
    });
    if (answer.problem !== undefined) throw new Error(answer.problem);
    const values = (answer.values ?? []).map((text) => decodeNumber(text) ?? 0);
    return values.length > 1 ? values : values[0];
  };
}
