/**
 * What the tests of Wasmer have in common.
 *
 * @module
 */

import { assert } from "@std/assert";
import {
  Capabilities,
  type Capability,
  type ExecuteOptions,
  type ExecuteResult,
  Sandbox,
  SandboxError,
  type SandboxErrorCode,
  type SandboxOptions,
} from "../../mod.ts";
import { wat } from "../wasm.ts";

const WASI = `(import "wasi_snapshot_preview1"`;

/** A module of one memory, which imports functions of WASI by need. */
export function program(
  start: string,
  { parts = "", memory = '(memory (export "memory") 2)' }: {
    readonly parts?: string;
    readonly memory?: string;
  } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const used = Object.entries(FUNCTIONS).filter(([name]) =>
    `${parts}${start}`.includes(`$${name}`)
  );
  const imports = used.map(([name, type]) =>
    `${WASI} "${name}" (func $${name} ${type}))`
  );
  return wat(`(module ${imports.join("\n")} ${parts} ${memory}
    (func (export "_start") (local $i i32) ${start}))`);
}

const FUNCTIONS: Readonly<Record<string, string>> = {
  "proc_exit": "(param i32)",
  "fd_write": "(param i32 i32 i32 i32) (result i32)",
  "fd_read": "(param i32 i32 i32 i32) (result i32)",
  "random_get": "(param i32 i32) (result i32)",
  "clock_time_get": "(param i32 i64 i32) (result i32)",
  "args_sizes_get": "(param i32 i32) (result i32)",
  "environ_sizes_get": "(param i32 i32) (result i32)",
  "environ_get": "(param i32 i32) (result i32)",
  "path_open": "(param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)",
  "path_symlink": "(param i32 i32 i32 i32 i32) (result i32)",
};

/** Grants that most programs need. */
export const USUAL: readonly Capability[] = [
  Capabilities.process(),
  Capabilities.stdio(),
];

/** A mount of the one place that Wasmer hands files back from. */
export function workspace(
  options: { readonly maxBytes?: number; readonly symlinks?: "within" } = {},
): Capability {
  const mount = { guest: "/workspace", memory: true, ...options } as const;
  return Capabilities.filesystem({ mounts: [mount] });
}

/** Makes a sandbox on Wasmer. */
export function create(
  module: Uint8Array<ArrayBuffer>,
  options: Partial<SandboxOptions> = {},
): Promise<Sandbox> {
  return Sandbox.create({
    module,
    runtime: "wasmer",
    policy: USUAL,
    ...options,
  });
}

/** The error that something is rejected with. */
export async function failure<C extends SandboxErrorCode>(
  code: C,
  work: () => Promise<unknown>,
): Promise<SandboxError<C>> {
  try {
    await work();
  } catch (error) {
    assert(SandboxError.is(error, code), `${error}`);
    return error;
  }
  throw new Error(`Not refused with ${code}`);
}

/** Runs a program once, on a sandbox of its own. */
export async function run(
  module: Uint8Array<ArrayBuffer>,
  options: Partial<SandboxOptions> = {},
  { args = [], ...execute }: ExecuteOptions & { args?: string[] } = {},
): Promise<ExecuteResult> {
  await using sandbox = await create(module, options);
  return await sandbox.execute(args, execute);
}
