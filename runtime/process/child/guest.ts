/**
 * The guest of this process.
 *
 * @module
 */

import { requireAbi } from "../../../communication/abi_version.ts";
import {
  type ResolvedLimits,
  resolveLimits,
} from "../../../security/limits.ts";
import { InlineInstance } from "../../inline_instance.ts";
import type {
  HostFunction,
  HostImports,
  Module,
  Runtime,
  WasmValue,
} from "../../types.ts";
import { V8Runtime } from "../../v8/runtime.ts";
import type { ProcessEngine } from "../engine.ts";
import type { Open, SentImport } from "../messages.ts";
import { decodeNumber, encodeNumber } from "../numbers.ts";
import type { Pipe } from "./pipe.ts";

/** A module that is open. */
export interface OpenGuest {
  /** The module. */
  readonly module: Module;
  /** Whether it, or one that it imports from, asks for services. */
  readonly asks: boolean;
  /** Whether it may have to wait for a linked command. */
  readonly waits: boolean;
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
  readonly runtime: Runtime;
  /** The limits. */
  readonly limits: ResolvedLimits;
  /** What may be imported. */
  readonly imports: HostImports;
  /** The module's bytes. */
  readonly main: Uint8Array<ArrayBuffer>;
  /** Other modules, by the names that they are imported from. */
  readonly linked: Readonly<Record<string, Uint8Array<ArrayBuffer>>>;
}

/**
 * Compiles a module.
 *
 * @param open What the host wants.
 * @param bytes The module's bytes, and those of the others.
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
  const runtime = await runtimeOf(open.engine);
  const { main, linked } = modulesOf(open, bytes);
  const parts: GuestParts = {
    open,
    pipe,
    runtime,
    limits,
    imports,
    main,
    linked,
  };
  // a plug-in is given less memory than its limit
  const module = open.extism === undefined
    ? await runtime.compile(main, { limits, features })
    : undefined;
  if (module !== undefined && isPlain(module, parts)) {
    return new PlainGuest(module, parts);
  }
  // a part of the program of its own: most of it is not needed otherwise
  const { openWasiGuest } = await import("./wasi_guest.ts");
  return await openWasiGuest(module, parts);
}

/** The host keeps the deadlines: it kills this process. */
async function runtimeOf(engine: ProcessEngine): Promise<Runtime> {
  if (engine.name === "v8") return new V8Runtime({ keepsDeadlines: false });
  // a part of the program of its own: it is not needed otherwise
  const { openWasmtime } = await import("./wasmtime.ts");
  return await openWasmtime(engine.library);
}

/** Cuts the modules apart. */
function modulesOf(
  open: Open,
  bytes: Uint8Array<ArrayBuffer>,
): { main: Uint8Array<ArrayBuffer> } & Pick<GuestParts, "linked"> {
  const linked: Record<string, Uint8Array<ArrayBuffer>> = Object.create(null);
  const total = open.linked.reduce(
    (sum, { byteLength }) => sum + byteLength,
    0,
  );
  const mainEnd = bytes.length - total;
  let end = mainEnd;
  for (const { name, byteLength } of open.linked) {
    linked[name] = bytes.subarray(end, end += byteLength);
  }
  return { main: bytes.subarray(0, mainEnd), linked };
}

/** Whether a module imports functions of the host alone, and is of this time. */
function isPlain(module: Module, { imports, linked }: GuestParts): boolean {
  requireAbi(module.exports);
  return Object.keys(linked).length === 0 &&
    module.imports.every((need) => Object.hasOwn(imports, need.module));
}

/** A guest that imports nothing but functions of the host. */
class PlainGuest implements OpenGuest {
  readonly module: Module;
  readonly asks = false;
  readonly waits = false;
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
    return new InlineInstance(instance, {
      wasi: undefined,
      host: undefined,
      limits,
    });
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
