/**
 * A guest that talks with its host: it asks, it is refused as data, it goes
 * through a stream longer than its memory, and it floods.
 *
 * @module
 */

import { GuestFault, MemoryChannel } from "../communication/mod.ts";
import { Sandbox, SandboxError } from "../mod.ts";

const TOOLBOX = new URL("guests/c/toolbox.wasm", import.meta.url);
const MIB = 2 ** 20;
const STREAM_MIB = 256;

/**
 * Tells the story.
 *
 * @param print Takes a line.
 * @returns Whether all came as it should.
 */
export async function talk(print: (line: string) => void): Promise<boolean> {
  const asked = await ask(print);
  const streamed = await stream(print);
  return await flood(print) && asked && streamed;
}

/** It calls a function of the host, which takes its time. */
async function ask(print: (line: string) => void): Promise<boolean> {
  await using sandbox = await Sandbox.create({
    module: TOOLBOX,
    hostFunctions: {
      async "kv.get"({ key }: { readonly key: string }) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        if (key === "greeting") return "hello";
        throw new GuestFault("failed", "there is no such key", {
          code: "not-found",
        });
      },
    },
  });
  const value = await sandbox.call("lookup", { key: "greeting" });
  print(`It asked the host for "greeting", and waited: ${String(value)}`);
  const fault = await sandbox.call("store_error", { key: "secret" });
  print(`It asked for "secret": ${JSON.stringify(fault)}`);
  return value === "hello" && JSON.stringify(fault).includes("not-found");
}

/** A stream goes through it. */
async function stream(print: (line: string) => void): Promise<boolean> {
  await using sandbox = await Sandbox.create({
    module: TOOLBOX,
    limits: { memoryBytes: 2 * MIB, timeoutMs: 60_000 },
  });
  const piece = new TextEncoder().encode("a".repeat(65_536));
  let left = STREAM_MIB * MIB;
  let bytes = 0;
  const start = performance.now();
  const source = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (left === 0) return controller.close();
      controller.enqueue(piece.slice());
      left -= piece.length;
    },
  });
  const through = source.pipeThrough(sandbox.transform("upper", {}));
  for await (const chunk of through) bytes += chunk.length;
  const seconds = (performance.now() - start) / 1e3;
  print(
    `${STREAM_MIB} MiB went through a guest of 2 MiB in ` +
      `${seconds.toFixed(1)} s.`,
  );
  return bytes === STREAM_MIB * MIB;
}

/** Nobody takes what it sends: it waits for room, and its deadline comes. */
async function flood(print: (line: string) => void): Promise<boolean> {
  await using channel = new MemoryChannel({ capacity: 8 });
  await using sandbox = await Sandbox.create({
    module: TOOLBOX,
    channel,
    limits: { timeoutMs: 200 },
  });
  let timers = 0;
  const timer = setInterval(() => timers++, 10);
  const requests = (async () => {
    for (let n = 0; n < 100; n++) await channel.send(n);
  })().catch(() => {});
  const error = await sandbox.call("converse", -1)
    .then(() => undefined, (error) => error);
  clearInterval(timer);
  channel.close();
  await requests;
  const { waiting } = channel.counters.results;
  print(
    `It sent to a channel that nobody read: ${waiting} messages wait, and ` +
      `its deadline ended it. Timers of the host came ${timers} times.`,
  );
  return SandboxError.is(error, "limit-exceeded") && waiting === 8 &&
    timers > 5;
}
