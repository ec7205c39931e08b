/**
 * The ways in which a random module is run.
 *
 * @module
 */

import { SandboxError } from "../../errors.ts";
import type {
  GuestAccess,
  Instance,
  Runtime,
  WasmResult,
} from "../../runtime/types.ts";
import type { ResourceLimits } from "../../security/limits.ts";
import { type Host, HostFailure } from "./_host.ts";
import {
  CHECKPOINT_NAME,
  type Generated,
  type GuestCall,
  PROBE_MODULE,
} from "./generate.ts";

/** A running module. */
export interface Session {
  /** Calls an exported function. */
  call(call: GuestCall): Promise<unknown>;
  /** The memory as it is now. */
  memory(): Uint8Array;
  /** Fuel that was used, if it is counted. */
  fuel(): number | undefined;
  close(): Promise<void>;
}

/** A way to run modules. */
export interface Engine {
  readonly name: string;
  /** Whether fuel is counted. */
  readonly countsFuel: boolean;
  /**
   * Instantiates a module.
   *
   * @param module The module.
   * @param host Serves it.
   * @param fuel How much it has, where that is counted.
   */
  open(module: Generated, host: Host, fuel?: number): Promise<Session>;
}

/** Limits that no random module reaches. */
const LIMITS: ResourceLimits = Object.freeze({
  memoryBytes: 16 * 65_536,
  tableElements: 1000,
  timeoutMs: 60_000,
});

/** Fuel that no random module uses up. */
const PLENTY = 1_000_000_000;

/** WebAssembly as Deno gives it, without limits. */
export const RAW: Engine = Object.freeze({
  name: "v8 raw",
  countsFuel: false,
  open: ({ bytes }: Generated, host: Host): Promise<Session> => {
    let memory: WebAssembly.Memory | undefined;
    const view = () => memory && new Uint8Array(memory.buffer);
    const { exports } = new WebAssembly.Instance(
      new WebAssembly.Module(bytes),
      {
        ...host.imports,
        [PROBE_MODULE]: { [CHECKPOINT_NAME]: () => host.check(view()) },
      },
    );
    if (exports.memory instanceof WebAssembly.Memory) memory = exports.memory;
    return Promise.resolve({
      call({ name, args }) {
        const run = exports[name];
        if (typeof run !== "function") throw new TypeError(`no ${name}`);
        return Promise.resolve(run(...args));
      },
      memory: () => view() ?? new Uint8Array(),
      fuel: () => undefined,
      close: () => Promise.resolve(),
    });
  },
});

/** Which limits a runtime is to enforce. */
export interface Mode {
  readonly deadline: boolean;
  readonly fuel: boolean;
}

/** Every mode. */
export const MODES: Readonly<Record<string, Mode>> = Object.freeze({
  deadline: { deadline: true, fuel: false },
  fuel: { deadline: false, fuel: true },
  both: { deadline: true, fuel: true },
});

/** A runtime with some of its limits on. */
export class RuntimeEngine implements Engine {
  readonly name: string;
  readonly countsFuel: boolean;
  readonly #runtime: Runtime;
  readonly #limits: ResourceLimits;

  constructor(runtime: Runtime, mode: string) {
    const { deadline = true, fuel = false } = MODES[mode] ?? {};
    this.name = `${runtime.name} ${mode}`;
    this.countsFuel = fuel;
    this.#runtime = runtime;
    this.#limits = {
      ...LIMITS,
      ...fuel ? { fuel: PLENTY } : {},
      ...deadline ? {} : { timeoutMs: Infinity },
    };
  }

  async open(
    { bytes, seed }: Generated,
    host: Host,
    fuel?: number,
  ): Promise<Session> {
    const limits = { ...this.#limits, ...fuel === undefined ? {} : { fuel } };
    const module = await this.#runtime.compile(bytes, { limits });
    let guest: GuestAccess | undefined;
    const instance = await this.#runtime.instantiate(module, {
      limits,
      imports: host.imports,
      hostModules: [host.probe((access) => guest = access)],
    });
    const run = runnerOf(instance, seed);
    return {
      call: run,
      memory: () => guest?.memory() ?? new Uint8Array(),
      fuel: () => instance.usage().fuel,
      close: () => instance[Symbol.asyncDispose](),
    };
  }
}

/** Calls in either way, so that both are tried. */
function runnerOf(
  instance: Instance,
  seed: number,
): (call: GuestCall) => Promise<WasmResult> {
  return seed % 2 === 0
    ? ({ name, args }) => instance.call(name, args)
    : async ({ name, args }) => await instance.callSync(name, args);
}

/** How engines say why a guest trapped, and what it is. */
const TRAPS: readonly (readonly [RegExp, string])[] = [
  [/unreachable/, "unreachable"],
  [/divi(?:de|sion) by zero|by zero/, "division by zero"],
  [/unrepresentable in integer range|conversion to integer/, "conversion"],
  [/result unrepresentable|integer overflow/, "overflow"],
  [/signature mismatch|type mismatch/, "wrong function"],
  [/null function|uninitialized element/, "no function"],
  [/table/, "table"],
  [/memory|data segment/, "memory"],
  [/element segment/, "table"],
];

/** The end that says that a resource is used up. */
export const RESOURCE = "resource";

/**
 * Tells how a guest has ended that did not return.
 *
 * @param error What was thrown.
 * @returns The end, in words that are the same for every engine.
 */
export function endOf(error: unknown): string {
  if (error instanceof HostFailure) return "host function failed";
  if (SandboxError.is(error, "host-function-failed")) {
    return "host function failed";
  }
  if (SandboxError.is(error, "limit-exceeded")) {
    return `${RESOURCE} ${error.details.limit}`;
  }
  if (error instanceof RangeError && /call stack/.test(error.message)) {
    return `${RESOURCE} stack`;
  }
  const isTrap = error instanceof WebAssembly.RuntimeError ||
    SandboxError.is(error, "trap");
  const text = error instanceof Error ? error.message : String(error);
  const known = TRAPS.find(([pattern]) => pattern.test(text));
  return isTrap && known ? `trap: ${known[1]}` : `unexpected: ${text}`;
}
