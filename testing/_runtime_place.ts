/** Where guests of the suite for runtimes run: directly, or in a sandbox. */

import type { SandboxError } from "../errors.ts";
import type {
  CallOptions,
  HostImports,
  HostModule,
  InstanceUsage,
  ModuleFeatures,
  Runtime,
  RuntimeFeatures,
  WasmResult,
  WasmValue,
} from "../runtime/types.ts";
import { Sandbox } from "../sandbox.ts";
import type { SandboxOptions } from "../sandbox_options.ts";
import type { ResourceLimits } from "../security/limits.ts";
import { GUESTS } from "./_runtime_guests.ts";

/** Name of a guest of this suite. */
export type GuestName = keyof typeof GUESTS;

/** The bytes of a guest. */
export function guest(name: GuestName): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromBase64(GUESTS[name]);
}

/** What a guest is opened with. */
export interface GuestSetting {
  readonly imports?: HostImports;
  readonly limits?: ResourceLimits;
  readonly features?: ModuleFeatures;
  readonly linked?: Readonly<Record<string, Uint8Array<ArrayBuffer>>>;
  /** Only {@linkcode direct} has them. */
  readonly hostModules?: readonly HostModule[];
}

/** A guest that runs. */
export interface Subject extends AsyncDisposable {
  readonly failure: SandboxError | undefined;
  call(
    name: string,
    args?: readonly WasmValue[],
    options?: CallOptions,
  ): Promise<WasmResult>;
  callSync(name: string, args?: readonly WasmValue[]): WasmResult;
  /** Sends JSON. */
  text(name: string, json: string): Promise<string>;
  /** Sends bytes. */
  bytes(name: string, request: Uint8Array): Promise<Uint8Array>;
  used(limit: keyof InstanceUsage): number | undefined;
  /** Makes another instance of the same module, with a state of its own. */
  renew(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A place that guests run in. */
export interface Place {
  /** How it is told from the others. */
  readonly name: "directly" | "inline" | "in a process";
  readonly runtime: Runtime;
  /** Opens a guest, by name or as bytes. */
  open(
    module: GuestName | Uint8Array<ArrayBuffer>,
    setting?: GuestSetting,
  ): Promise<Subject>;
}

/** A place that is a sandbox. */
export interface SandboxPlace extends Place {
  readonly isolation: "inline" | "process";
  /** Makes a sandbox. */
  sandbox(
    module: GuestName | Uint8Array<ArrayBuffer>,
    options?: Partial<SandboxOptions>,
  ): Promise<Sandbox>;
}

/** Room in time for a guest that asks a lot; a runtime may know no deadline. */
export function withDeadline(
  { runtime }: Pick<Place, "runtime">,
  timeoutMs: number,
): { readonly limits?: ResourceLimits } {
  return runtime.features.limits.timeoutMs === undefined
    ? {}
    : { limits: { timeoutMs } };
}

/** The runtime's own interface. */
export function direct(runtime: Runtime): Place {
  return {
    name: "directly",
    runtime,
    async open(module, { features, limits, linked = {}, ...rest } = {}) {
      const options = {
        ...(features === undefined ? {} : { features }),
        ...(limits === undefined ? {} : { limits }),
      };
      const compile = (each: Uint8Array<ArrayBuffer>) =>
        runtime.compile(each, options);
      const main = await compile(bytesOf(module));
      const others = Object.fromEntries(
        await Promise.all(
          Object.entries(linked).map(async ([name, each]) =>
            [name, await compile(each)] as const
          ),
        ),
      );
      const make = () =>
        runtime.instantiate(main, {
          ...rest,
          ...(Object.keys(others).length === 0 ? {} : { linked: others }),
        });
      let instance = await make();
      return {
        get failure() {
          return instance.failure;
        },
        call: (name, args, call) => instance.call(name, args ?? [], call),
        callSync: (name, args = []) => instance.callSync(name, args),
        text: (name, json) => instance.exchange(name, json),
        bytes: (name, request) => instance.exchange(name, request),
        used: (limit) => instance.usage()[limit],
        async renew() {
          await instance[Symbol.asyncDispose]();
          instance = await make();
        },
        [Symbol.asyncDispose]: () => instance[Symbol.asyncDispose](),
      };
    },
  };
}

/** Sandboxes of one isolation. */
export function sandboxes(
  runtime: Runtime,
  isolation: "inline" | "process",
): SandboxPlace {
  const sandbox: SandboxPlace["sandbox"] = (module, options) =>
    Sandbox.create({
      module: bytesOf(module),
      runtime,
      isolation,
      ...options,
    });
  return {
    name: isolation === "inline" ? "inline" : "in a process",
    runtime,
    isolation,
    sandbox,
    async open(module, { hostModules: _direct, ...setting } = {}) {
      return subjectOf(await sandbox(module, setting));
    },
  };
}

function subjectOf(sandbox: Sandbox): Subject {
  return {
    get failure() {
      return sandbox.failure;
    },
    call: (name, args, options) =>
      sandbox.call<WasmResult>(name, args ?? [], { ...options, abi: "raw" }),
    callSync: (name, args = []) =>
      sandbox.callSync<WasmResult>(name, args, { abi: "raw" }),
    text: async (name, json) =>
      JSON.stringify(
        await sandbox.call(name, JSON.parse(json), { abi: "json" }),
      ),
    bytes: (name, request) => sandbox.call(name, request, { abi: "bytes" }),
    used: (limit) => sandbox.usage().limits[limit]?.used,
    renew: () => sandbox.reset(),
    [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose](),
  };
}

function bytesOf(
  module: GuestName | Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  return typeof module === "string" ? guest(module) : module;
}

/** A kind of place: each test has one of its own. */
export interface PlaceKind<P extends Place> {
  /** How it is told from the others. */
  readonly name: Place["name"];
  /** Makes one. */
  make(runtime: Runtime): P;
}

/** Which isolations are looked at. */
export type Isolations = RuntimeFeatures["isolations"];

/** The isolations that a runtime offers, and that are looked at. */
export function sandboxKinds(
  features: RuntimeFeatures,
  only: Isolations | undefined,
): readonly PlaceKind<SandboxPlace>[] {
  return features.isolations
    .filter((each) => only === undefined || only.includes(each))
    .map((each) => ({
      name: each === "inline" ? "inline" : "in a process",
      make: (runtime) => sandboxes(runtime, each),
    }));
}

/** The places in which a runtime's exported functions can be called. */
export function placeKinds(
  features: RuntimeFeatures,
  only: Isolations | undefined,
): readonly PlaceKind<Place>[] {
  const kinds = sandboxKinds(features, only);
  const { calls, isolations } = features;
  if (!calls) return [];
  const directly = { name: "directly", make: direct } as const;
  return isolations.includes("inline") ? [directly, ...kinds] : kinds;
}
