/**
 * What the tests of processes have in common.
 *
 * @module
 */

import { GuestFault } from "../../communication/fault.ts";
import type {
  GuestServices,
  ServiceProvider,
} from "../../communication/types.ts";
import type {
  CommandOutcome,
  CommandRun,
  GuestInstance,
} from "../../runtime/guest_source.ts";
import {
  type ProcessOptions,
  ProcessSource,
} from "../../runtime/process/process_source.ts";
import { resolveLimits, type ResourceLimits } from "../../security/limits.ts";
import { SecurityPolicy } from "../../security/policy.ts";
import type { AuditEvent, Capability } from "../../security/types.ts";
import { wat } from "../wasm.ts";

/** Options of {@linkcode open}. */
export interface OpenOptions extends
  Partial<
    Pick<
      ProcessOptions,
      | "engine"
      | "extism"
      | "imports"
      | "launch"
      | "linked"
      | "machine"
      | "onEvent"
      | "pool"
      | "services"
    >
  > {
  /** The limits. */
  readonly limits?: ResourceLimits;
  /** What is granted. */
  readonly capabilities?: readonly Capability[];
}

/** Opens a module in a process. */
export function open(
  module: Uint8Array<ArrayBuffer>,
  { limits = {}, capabilities = [], ...options }: OpenOptions = {},
): Promise<ProcessSource> {
  return ProcessSource.create({
    module,
    limits: resolveLimits(limits),
    features: {},
    imports: {},
    services: services({}),
    onEvent() {},
    ...options,
    capabilities: SecurityPolicy.from(capabilities).capabilities,
  });
}

/**
 * What a host does for a guest, where it matters to a test.
 *
 * @param given What it does; all else is unknown to it.
 * @param onEnd Told how each call ended.
 */
export function services(
  given: Partial<GuestServices>,
  onEnd: (failure: unknown) => void | Promise<void> = () => {},
): ServiceProvider {
  const unknown = (): never => {
    throw new GuestFault("unknown", "there is no such thing");
  };
  return {
    begin: () => ({
      call: unknown,
      receive: unknown,
      send: unknown,
      read: unknown,
      write: unknown,
      log: () => {},
      ...given,
      end: async (failure) => {
        await onEnd(failure);
      },
    }),
  };
}

/** Functions of numbers, good and bad ones. */
export function numbers(): Promise<Uint8Array<ArrayBuffer>> {
  return wat(`(module
    (import "host" "twice" (func $twice (param i32) (result i32)))
    (import "host" "wide" (func $wide (param i64 f64) (result i64)))
    (import "host" "limit" (global $limit i64))
    (memory (export "memory") 1)
    (global $count (mut i32) (i32.const 0))
    (func (export "add") (param i32 i32) (result i32)
      local.get 0 local.get 1 i32.add)
    (func (export "f64") (param f64) (result f64) local.get 0)
    (func (export "f32") (param f32) (result f32) local.get 0)
    (func (export "i64") (param i64) (result i64) local.get 0)
    (func (export "two") (result i32 i64) i32.const 1 i64.const -2)
    (func (export "nothing"))
    (func (export "count") (result i32)
      (global.set $count (i32.add (global.get $count) (i32.const 1)))
      global.get $count)
    (func (export "twice") (param i32) (result i32)
      local.get 0 call $twice)
    (func (export "wide") (param i64 f64) (result i64)
      local.get 0 local.get 1 call $wide)
    (func (export "limit") (result i64) global.get $limit)
    (func (export "spin") (loop br 0))
    (func (export "trap") unreachable)
    (func (export "grow") (param i32) (result i32)
      local.get 0 memory.grow))`);
}

/** Imports for {@linkcode numbers}. */
export const IMPORTS: ProcessOptions["imports"] = Object.freeze({
  host: {
    twice: (value: number) => 2 * value,
    wide: (a: bigint, b: number) => a + BigInt(b),
    limit: 2n ** 63n - 1n,
  },
});

/** A program that does what its first argument says. */
export function tour(): Promise<Uint8Array<ArrayBuffer>> {
  return Deno.readFile(new URL("guests/tour.wasm", import.meta.url));
}

/** What the program is granted besides files. */
export const GRANTS: readonly Capability[] = Object.freeze([
  { type: "stdio", stdin: true, stdout: true, stderr: true },
  { type: "process", arguments: true, exit: true },
]);

/** Runs the program once, in an instance of its own. */
export async function runTour(
  source: ProcessSource,
  args: readonly string[],
  run: Partial<CommandRun> = {},
): Promise<CommandOutcome> {
  await using instance = await source.instantiate({});
  return await execute(instance, args, run);
}

/** Runs an instance of the program. */
export function execute(
  instance: GuestInstance,
  args: readonly string[],
  run: Partial<CommandRun> = {},
  options: { signal?: AbortSignal; timeoutMs?: number } = {},
): Promise<CommandOutcome> {
  return instance.execute({
    args: ["tour", ...args],
    env: {},
    files: {},
    stdin: new Uint8Array(),
    ...run,
  }, options);
}

/** Bytes as text. */
export function text(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes);
}

/** An event without what varies. */
export function decisionOf(
  { decision, operation, resource }: Pick<
    AuditEvent,
    "decision" | "operation" | "resource"
  >,
): string {
  return `${decision} ${operation} ${resource}`;
}

/** Whether a process is there, and no zombie. */
export function isRunning(pid: number): boolean {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return !/\) Z /.test(status);
  } catch {
    return false;
  }
}

/** The processes that a process has started; zombies are none. */
export function childrenOf(parent: number): readonly number[] {
  const pids: number[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = Deno.readTextFileSync(`/proc/${name}/stat`);
      // such as "12 (name) S 1 …": state and parent
      const [, state, ppid] = /\) (\w) (\d+) [^)]*$/.exec(stat) ?? [];
      if (Number(ppid) === parent && state !== "Z") pids.push(Number(name));
    } catch {
      // it has ended meanwhile
    }
  }
  return pids;
}

/** Waits until something is so. */
export async function until(
  condition: () => boolean,
  timeoutMs = 5_000,
): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error("Cannot wait any longer");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
