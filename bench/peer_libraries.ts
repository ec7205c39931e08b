/**
 * Ways to run a guest from JavaScript: ours, and other libraries.
 *
 * @module
 */

import { Sandbox } from "../mod.ts";
import type { InstancePolicy } from "../sandbox_options.ts";
import { wat } from "../tests/wasm.ts";
import { EXTISM, OURS, WASI } from "./peer_guests.ts";

/** A guest that is ready for its first call. */
export interface Started {
  /** Counts the vowels of a text. */
  call(input: Uint8Array<ArrayBuffer>): Promise<number | undefined>;
  /** Lets the guest go. */
  close(): Promise<void>;
}

/** A way to run guests. */
export interface Peer {
  /** Its name. */
  readonly name: string;
  /** What it keeps a guest from, by its own documentation or as tried. */
  readonly enforces: string;
  /** Makes a guest. */
  start(): Promise<Started>;
  /** Lets the library go. */
  close?(): Promise<void>;
}

/** Extism's SDK, as much of it as is used here. */
interface Extism {
  createPlugin(
    manifest: { wasm: { data: Uint8Array }[] },
    options: { useWasi: boolean; runInWorker: boolean },
  ): Promise<{
    call(name: string, input: Uint8Array): Promise<DataView | null>;
    close(): Promise<void>;
  }>;
}

async function ours(instance: InstancePolicy): Promise<Peer> {
  const module = await wat(OURS);
  return {
    name: `ours, ${instance} instance`,
    enforces: "deadline, cap of memory and tables, checks of every pointer",
    async start() {
      const sandbox = await Sandbox.create({ module, instance });
      return {
        async call(input) {
          const reply = await sandbox.call<Uint8Array>("count", input);
          return new DataView(reply.buffer).getUint32(0, true);
        },
        close: () => sandbox[Symbol.asyncDispose](),
      };
    },
  };
}

async function extism(runInWorker: boolean): Promise<Peer> {
  // not a literal: only who runs this benchmark needs the package
  const specifier = ["npm:@extism", "extism@1.0.3"].join("/");
  const { createPlugin }: Extism = await import(specifier);
  const data = await wat(EXTISM);
  return {
    name: `Extism, ${runInWorker ? "worker" : "inline"}`,
    enforces: "no deadline, no fuel, no cap of the guest's own memory",
    async start() {
      const options = { useWasi: false, runInWorker };
      const plugin = await createPlugin({ wasm: [{ data }] }, options);
      return {
        async call(input) {
          const reply = await plugin.call("count", input);
          return reply?.getUint32(0, true);
        },
        close: () => plugin.close(),
      };
    },
  };
}

async function wasmer(): Promise<Peer> {
  const { Wasmer } = await import("@wasmer/sdk/browser");
  const client = new Wasmer();
  await client.ready();
  const bytes = await wat(WASI);
  return {
    name: "Wasmer, a program",
    enforces: "a file system of its own; no cap of memory, no fuel, and a " +
      "deadline that leaves the guest's thread running",
    async start() {
      const program = await client.packages.load(bytes);
      const sandbox = await client.sandboxes.create({ packages: [program] });
      return {
        async call(stdin) {
          const { stdout } = await sandbox.command(program).run({ stdin });
          return new DataView(stdout.bytes.slice().buffer).getUint32(0, true);
        },
        close: () => sandbox.close(),
      };
    },
    close: () => client.close(),
  };
}

/** Each way by its name; making it loads the library. */
export const PEERS: Readonly<Record<string, () => Promise<Peer>>> = {
  ours: () => ours("reuse"),
  "ours, fresh": () => ours("fresh"),
  Extism: () => extism(false),
  "Extism, worker": () => extism(true),
  Wasmer: wasmer,
};
