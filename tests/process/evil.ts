/**
 * A child that lies, in the place of the real one: what a guest could make of
 * its process if it took it over. What it does is its first argument.
 *
 * @module
 */

import {
  encode,
  FRAME,
  MAX_FRAME_BYTES,
  type Message,
  MessageReader,
  PROTOCOL,
} from "../../runtime/process/frames.ts";

const [what = ""] = Deno.args;
const reader = new MessageReader(() => Infinity);

function fill(into: Uint8Array): void {
  for (let at = 0; at < into.length;) {
    at += Deno.stdin.readSync(into.subarray(at)) ?? Deno.exit(0);
  }
}

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

function frame(length: number, type: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(5 + payload.length);
  new DataView(bytes.buffer).setUint32(0, length, true);
  bytes[4] = type;
  bytes.set(payload, 5);
  return bytes;
}

/** A message whose header is any bytes. */
function header(type: number, bytes: Uint8Array): Uint8Array {
  const payload = new Uint8Array(8 + bytes.length);
  new DataView(payload.buffer).setUint32(0, bytes.length, true);
  payload.set(bytes, 8);
  return frame(payload.length + 1, type, payload);
}

const ENCODER = new TextEncoder();
const json = (type: number, text: string) =>
  raw(header(type, ENCODER.encode(text)));

/** What it does when it is called, with the operation's number. */
const CALLS: Readonly<Record<string, (id: number) => void>> = {
  honest: (id) => send(FRAME.done, { id, values: ["5"] }),
  "errors later": (id) => {
    send(FRAME.done, { id, values: ["5"] });
    floodErrors();
  },
  "wrong id": (id) => send(FRAME.done, { id: id + 1, values: ["5"] }),
  "no id": () => send(FRAME.done, { values: ["5"] }),
  "unknown type": (id) => send(99, { id }),
  "host's type": (id) => send(FRAME.call, { id }),
  "ready again": () => send(FRAME.ready, { protocol: PROTOCOL }),
  "stray data": () => raw(frame(5, FRAME.data, new Uint8Array(4))),
  "length 0": () => raw(frame(0, 0, new Uint8Array())),
  "length of 4 GiB": () => raw(frame(2 ** 32 - 1, 65, new Uint8Array(99))),
  "one too long": () => raw(frame(MAX_FRAME_BYTES + 1, 65, new Uint8Array())),
  "no lengths": () => raw(frame(4, FRAME.done, new Uint8Array(3))),
  "lengths that lie": () =>
    raw(frame(9, FRAME.done, Uint8Array.of(255, 0, 0, 0, 0, 0, 0, 0))),
  "no JSON": () => json(FRAME.done, "{"),
  "no UTF-8": () => raw(header(FRAME.done, Uint8Array.of(0x22, 0xff, 0x22))),
  "no object": () => json(FRAME.done, "[1]"),
  "null": () => json(FRAME.done, "null"),
  "extra key": (id) => send(FRAME.done, { id, values: ["5"], extra: 1 }),
  "prototype": (id) =>
    json(FRAME.done, `{"id":${id},"values":["5"],"__proto__":{"x":1}}`),
  "toString": (id: number) =>
    json(FRAME.done, `{"id":${id},"values":["5"],"toString":1}`),
  "no values": (id) => send(FRAME.done, { id }),
  "two values": (id) => send(FRAME.done, { id, values: ["5", "5"] }),
  "a bigint for i32": (id) => send(FRAME.done, { id, values: ["5n"] }),
  "a fraction for i32": (id) => send(FRAME.done, { id, values: ["0.5"] }),
  "too large for i32": (id) => send(FRAME.done, { id, values: ["4294967296"] }),
  "code for a value": (id) => send(FRAME.done, { id, values: ["1;x()"] }),
  "a long number": (id) => send(FRAME.done, { id, values: ["9".repeat(999)] }),
  "negative usage": (id) =>
    send(FRAME.done, { id, values: ["5"], usage: { fuel: -1 } }),
  "unknown usage": (id) =>
    send(FRAME.done, { id, values: ["5"], usage: { constructor: 1 } }),
  "a body nobody wants": (id) =>
    send(FRAME.done, { id, values: ["5"] }, new Uint8Array(10)),
  "a huge body": (id) => send(FRAME.done, { id }, new Uint8Array(64 << 20)),
  "an error of the host's": (id) =>
    send(FRAME.failed, {
      id,
      dead: false,
      error: {
        name: "SandboxError",
        message: "no",
        code: "process-failed",
        details: { phase: "run", suggestion: "" },
      },
    }),
  "no error": (id) => send(FRAME.failed, { id, dead: false, error: 5 }),
  "a plain error": (id) =>
    send(FRAME.failed, {
      id,
      dead: false,
      error: { name: "TypeError", message: "x" },
    }),
  "details that lie": (id) =>
    send(FRAME.failed, {
      id,
      dead: true,
      error: {
        name: "SandboxError",
        message: "no",
        code: "trap",
        details: { export: { toString: 1 }, kind: "trap" },
      },
    }),
  "endless causes": (id) => {
    let error: object = { name: "E", message: "m" };
    for (let depth = 0; depth < 50; depth++) {
      error = { name: "E", message: "m", cause: error };
    }
    send(FRAME.failed, { id, dead: true, error });
  },
  "output unasked": () => send(FRAME.output, { fd: 1 }, new Uint8Array(9)),
  "stdin unasked": () =>
    send(FRAME.ask, { seq: 1, what: "stdin", maxBytes: 9 }),
  "a function out of range": () =>
    send(FRAME.ask, { seq: 1, what: "call", index: 7, args: [] }),
  "a constant as a function": () =>
    send(FRAME.ask, { seq: 1, what: "call", index: 1, args: [] }),
  "arguments of another type": () =>
    send(FRAME.ask, { seq: 1, what: "call", index: 0, args: ["1n"] }),
  "a link": () =>
    send(FRAME.ask, {
      seq: 1,
      what: "symlink",
      mount: "/",
      target: "x",
      path: ["y"],
    }),
  "an unknown question": () => send(FRAME.ask, { seq: 1, what: "eval" }),
  "a malformed event": () => send(FRAME.events, { events: [{ time: "now" }] }),
  "an event of the host's": () =>
    send(FRAME.events, {
      events: [{
        time: new Date().toISOString(),
        decision: "denied",
        operation: "host_functions.call",
        capability: "host_functions",
        resource: "host.twice",
      }],
    }),
  "flood of events": () => {
    const time = new Date().toISOString();
    const event = {
      time,
      decision: "denied",
      operation: "x.y",
      capability: "clock",
      resource: "z".repeat(2_000),
    };
    const events = Array.from({ length: 65 }, () => event);
    send(FRAME.events, { events });
  },
  "exit code": () => Deno.exit(7),
  "half a frame": () => {
    raw(frame(1_000, FRAME.done, new Uint8Array(10)));
    Deno.exit(0);
  },
  "a kill": () => Deno.kill(Deno.pid, "SIGKILL"),
  "out of memory": () => {
    const all: unknown[] = [];
    for (;;) all.push(Array.from({ length: 1_000_000 }, () => ({})));
  },
};

/** What it does as long as it runs; nothing of it ends by itself. */
const FOREVER: Readonly<Record<string, (id: number) => void>> = {
  silence: spin,
  "closed pipe": () => {
    Deno.stdout.close();
    spin();
  },
  "half a frame and silence": () => {
    raw(frame(1_000, FRAME.done, new Uint8Array(10)));
    spin();
  },
  stopped: () => {
    Deno.kill(Deno.pid, "SIGSTOP");
  },
  "endless questions": () => {
    for (let seq = 1;; seq++) {
      send(FRAME.ask, { seq, what: "call", index: 0, args: ["1"] });
    }
  },
  "endless errors on stderr": floodErrors,
};

function spin(): never {
  for (;;);
}

function floodErrors(): never {
  const bytes = new Uint8Array(65_536).fill(0x1b);
  for (;;) Deno.stderr.writeSync(bytes);
}

/** Names of everything that it does. */
export const KINDS = {
  calls: Object.keys(CALLS),
  forever: Object.keys(FOREVER),
};

function main(): never {
  const length = new Uint8Array(4);
  fill(length);
  fill(new Uint8Array(new DataView(length.buffer).getUint32(0, true)));
  if (what === "no protocol") send(FRAME.ready, { protocol: 0 });
  if (what === "noise") raw(ENCODER.encode("Hello, world\n"));
  send(FRAME.ready, { protocol: PROTOCOL });
  for (;;) {
    const { type, header } = receive();
    const id = Number(header["id"]);
    if (type === FRAME.open) {
      const signature = { params: ["i32", "i32"], results: ["i32"] };
      const module = {
        imports: [{
          module: "host",
          name: "twice",
          kind: "function",
          signature: { params: ["i32"], results: ["i32"] },
        }],
        exports: [{ name: "add", kind: "function", signature }],
        memories: [],
        features: [],
        hasStart: what === "a lie of the module" ? "yes" : false,
      };
      send(FRAME.done, { id }, ENCODER.encode(JSON.stringify(module)));
    } else if (type === FRAME.instantiate) send(FRAME.done, { id });
    else if (type === FRAME.call) (CALLS[what] ?? FOREVER[what])?.(id);
  }
}

if (import.meta.main) main();
