/** Plugins for tests, and a directory that they are in. */

import { join } from "node:path";
import { PluginHost, type PluginHostOptions } from "../../wrappers/plugin.ts";
import type { PluginEvent } from "../../wrappers/plugin/types.ts";
import { wat } from "../wasm.ts";

/** Bytes of a version of the counter. */
export async function counter(
  version: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const url = new URL(`guests/counter_${version}.wasm`, import.meta.url);
  return await Deno.readFile(url);
}

/** A module that takes messages by some functions, whose bodies are given. */
export async function guest(
  functions: Readonly<Record<string, string>>,
  more = "",
  imports = "",
): Promise<Uint8Array<ArrayBuffer>> {
  const bodies = Object.entries(functions).map(([name, body]) =>
    `(func (export "${name}") (param i32 i32) (result i64) ${body})`
  );
  return await wat(`(module
    ${imports}
    (memory (export "memory") 2)
    (global $sum (mut i32) (i32.const 0))
    (func (export "wasm_sandbox_alloc") (param i32) (result i32)
      (i32.const 1024))
    (data (i32.const 16) "null")
    (data (i32.const 32) "\\"9.9.9\\"")
    (data (i32.const 48) "7")
    ${more}
    ${bodies.join("\n")})`);
}

/** Replies of {@linkcode guest}: pointer and length. */
export const REPLY = {
  null: "(i64.const 0x1000000004)",
  version: "(i64.const 0x2000000007)",
  seven: "(i64.const 0x3000000001)",
  spin: "(loop (br 0)) (i64.const 0)",
  trap: "(unreachable)",
} as const;

/** A directory for plugins, removed at the end. */
export class Folder implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async make(): Promise<Folder> {
    return new Folder(await Deno.makeTempDir({ prefix: "plugins-" }));
  }

  /** Writes a file as it should be done: beside it, and then in its place. */
  async put(name: string, content: string | Uint8Array): Promise<void> {
    const temporary = join(this.path, `.${crypto.randomUUID()}`);
    if (typeof content === "string") {
      await Deno.writeTextFile(temporary, content);
    } else await Deno.writeFile(temporary, content);
    await Deno.rename(temporary, this.at(name));
  }

  /** Path of a file. */
  at(name: string): string {
    return join(this.path, name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

/** A host that reads files at once, and keeps what it tells. */
export async function open(
  options: PluginHostOptions,
): Promise<{ host: PluginHost; events: PluginEvent[] }> {
  const events: PluginEvent[] = [];
  const host = await PluginHost.create({
    debounceMs: 1,
    onEvent: (event) => void events.push(event),
    ...options,
  });
  return { host, events };
}

/** Waits until something is so. */
export async function until(
  holds: () => boolean,
  what = "it",
  ms = 20_000,
): Promise<void> {
  const end = performance.now() + ms;
  while (!holds()) {
    if (performance.now() > end) {
      throw new Error(`${what} did not come to pass`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
