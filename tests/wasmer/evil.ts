/**
 * A child that lies, in the place of the one that runs Wasmer: what a guest
 * could make of its process if it took it over. What it does is its first
 * argument.
 *
 * @module
 */

import { encodeFiles } from "../../runtime/process/files.ts";
import {
  encode,
  FRAME,
  MAX_HEADER_BYTES,
  type Message,
  MessageReader,
  OUTPUT_BYTES,
  PROTOCOL,
} from "../../runtime/process/frames.ts";

const [what = ""] = Deno.args;
const reader = new MessageReader(() => Infinity);

function receive(): Message {
  const buffer = new Uint8Array(65_536);
  for (;;) {
    const message = reader.next();
    if (message !== undefined) return message;
    const count = Deno.stdin.readSync(buffer) ?? Deno.exit(0);
    reader.push(buffer.slice(0, count));
  }
}

function raw(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    at += Deno.stdout.writeSync(bytes.subarray(at));
  }
}

function send(type: number, header: object, body?: Uint8Array): void {
  for (const chunk of encode(type, { ...header }, body)) raw(chunk);
}

/** Ends a run with files. */
function done(id: number, files: Readonly<Record<string, number>>): void {
  const body = encodeFiles(
    Object.entries(files).map(([path, length]) => [
      path,
      new Uint8Array(length),
    ]),
  );
  send(FRAME.done, { id, exitCode: 0 }, body);
}

/** A body of the same file twice. */
function twice(): Uint8Array {
  const one = encodeFiles([["/workspace/a", new Uint8Array(1)]]);
  return Uint8Array.of(...one, ...one);
}

/** Lies about how its program ended. */
const LIES: Readonly<Record<string, (id: number) => void>> = {
  "a path that leads up": (id) => done(id, { "/workspace/../etc/passwd": 1 }),
  "a path that ends above": (id) => done(id, { "/workspace/a/../..": 1 }),
  "a path elsewhere": (id) => done(id, { "/etc/passwd": 1 }),
  "a path beside": (id) => done(id, { "/workspace2/a": 1 }),
  "a path to itself": (id) => done(id, { "/workspace/./a": 1 }),
  "a path with a gap": (id) => done(id, { "/workspace//a": 1 }),
  "a directory": (id) => done(id, { "/workspace/a/": 1 }),
  "the workspace itself": (id) => done(id, { "/workspace": 1 }),
  "a path of __proto__": (id) => done(id, { ["__proto__"]: 1 }),
  "a path with an end": (id) => done(id, { "/workspace/a\0b": 1 }),
  "a path that is too long": (id) =>
    done(id, { [`/workspace/${"a".repeat(4_096)}`]: 1 }),
  "more bytes than the mount holds": (id) =>
    done(id, { "/workspace/a": 600, "/workspace/b": 600 }),
  "more files than there may be": (id) =>
    done(
      id,
      Object.fromEntries(
        Array.from({ length: 10_001 }, (_, at) => [`/workspace/${at}`, 0]),
      ),
    ),
  "the same file twice": (id) => send(FRAME.done, { id, exitCode: 0 }, twice()),
  "half a file": (id) =>
    send(FRAME.done, { id, exitCode: 0 }, new Uint8Array(7)),
  "a body that is too long": (id) =>
    send(FRAME.done, { id, exitCode: 0 }, new Uint8Array(64 << 20)),
  "an exit code of 33 bits": (id) =>
    send(FRAME.done, { id, exitCode: 2 ** 32 }),
  "an exit code below 0": (id) => send(FRAME.done, { id, exitCode: -1 }),
  "no exit code": (id) => send(FRAME.done, { id }),
  "another run's end": (id) => send(FRAME.done, { id: id + 1, exitCode: 0 }),
  "usage that is none": (id) =>
    send(FRAME.done, { id, exitCode: 0, usage: { memoryBytes: -1 } }),
  "output beyond its limit": () => {
    for (;;) send(FRAME.output, { fd: 1 }, new Uint8Array(OUTPUT_BYTES));
  },
  "output of nothing": () => send(FRAME.output, { fd: 2 }),
  "output to another stream": () =>
    send(FRAME.output, { fd: 3 }, new Uint8Array(1)),
  "a header without an end": () => {
    const text = `{"a":${"[".repeat(MAX_HEADER_BYTES - 5)}`;
    const bytes = new TextEncoder().encode(text);
    const head = new Uint8Array(9);
    head[0] = FRAME.done;
    new DataView(head.buffer).setUint32(1, bytes.length, true);
    raw(head);
    raw(bytes);
  },
  "a call of a function": () =>
    send(FRAME.ask, { seq: 1, what: "call", index: 0, args: [] }),
  "a link": () =>
    send(FRAME.ask, {
      seq: 1,
      what: "symlink",
      mount: "/workspace",
      target: "/etc",
      path: ["a"],
    }),
  "a service": () =>
    send(FRAME.ask, { seq: 1, what: "service", service: "receive" }),
  "a line of a log": () => send(FRAME.log, { level: "info" }),
  "a write": () => send(FRAME.write, {}, new Uint8Array(1)),
  "two questions of one number": () => {
    const question = encode(FRAME.ask, { seq: 1, what: "stdin", maxBytes: 1 });
    const bytes = question.flatMap((chunk) => [...chunk]);
    raw(Uint8Array.from([...bytes, ...bytes]));
  },
  "endless reading": () => {
    for (;;) {
      send(FRAME.ask, { seq: 1, what: "stdin", maxBytes: OUTPUT_BYTES });
      receive();
    }
  },
};

/** Ends it amid a message. */
const DEATHS: Readonly<Record<string, (id: number) => void>> = {
  "a kill amid its files": () => {
    const head = new Uint8Array(9 + 2);
    head[0] = FRAME.done;
    new DataView(head.buffer).setUint32(1, 2, true);
    new DataView(head.buffer).setUint32(5, 1_000_000, true);
    head.set([0x7b, 0x7d], 9);
    raw(head);
    Deno.kill(Deno.pid, "SIGKILL");
  },
  "an end amid its output": () => {
    raw(Uint8Array.of(FRAME.output, 255, 0, 0, 0, 0, 0, 0, 0, 1));
    Deno.exit(0);
  },
};

/** Stays, and would stay for ever. */
const STAYS: Readonly<Record<string, (id: number) => void>> = {
  silence: () => {
    for (;;);
  },
  "a stop": () => Deno.kill(Deno.pid, "SIGSTOP"),
  "closed streams": () => {
    Deno.stdout.close();
    Deno.stderr.close();
    for (;;);
  },
};

/** What comes behind the end of its program, which is nobody's any more. */
const AFTERWARDS: Readonly<Record<string, (id: number) => void>> = {
  "a second end": (id) => {
    done(id, { "/workspace/a": 1 });
    done(id, { "/workspace/b": 1 });
    for (;;);
  },
  "a flood behind its end": (id) => {
    done(id, { "/workspace/a": 1 });
    for (;;) raw(new Uint8Array(65_536));
  },
};

/** Names of everything that it does. */
export const KINDS = {
  lies: Object.keys(LIES),
  deaths: Object.keys(DEATHS),
  stays: Object.keys(STAYS),
  afterwards: Object.keys(AFTERWARDS),
};

function main(): never {
  send(FRAME.ready, { protocol: PROTOCOL });
  const all = { ...LIES, ...DEATHS, ...STAYS, ...AFTERWARDS };
  for (;;) {
    const { type, header } = receive();
    const id = Number(header["id"]);
    if (type === FRAME.instantiate) send(FRAME.done, { id });
    else if (type === FRAME.execute) all[what]?.(id);
  }
}

if (import.meta.main) main();
