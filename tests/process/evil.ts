/**
 * A child that lies, in the place of the real one: what a guest could make of
 * its process if it took it over. What it does is its first argument.
 *
 * @module
 */

import { encodeFiles } from "../../runtime/process/files.ts";
import {
  costOf,
  encode,
  FRAME,
  MAX_HEADER_BYTES,
  type Message,
  MessageReader,
  PROTOCOL,
  STREAM_BYTES,
  WINDOW_BYTES,
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

/** The head of a message, and whatever is to follow. */
function head(
  type: number,
  lengths: readonly [header: number, body: number],
  rest: Uint8Array = new Uint8Array(),
): Uint8Array {
  const bytes = new Uint8Array(9 + rest.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, type);
  view.setUint32(1, lengths[0], true);
  view.setUint32(5, lengths[1], true);
  bytes.set(rest, 9);
  return bytes;
}

/** A message whose header is any bytes. */
function header(type: number, bytes: Uint8Array): Uint8Array {
  return head(type, [bytes.length, 0], bytes);
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
  "type 0": () => raw(head(0, [0, 0])),
  "no header": () => raw(head(FRAME.done, [0, 0])),
  "a header of 4 GiB": () => raw(head(FRAME.done, [2 ** 32 - 1, 0])),
  "one too long": () => raw(head(FRAME.done, [MAX_HEADER_BYTES + 1, 0])),
  "a body of 4 GiB": () => raw(head(FRAME.done, [2, 2 ** 32 - 1])),
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
    raw(head(FRAME.done, [1_000, 0], new Uint8Array(10)));
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
    raw(head(FRAME.done, [1_000, 0], new Uint8Array(10)));
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

const service = (question: object, body?: Uint8Array) =>
  send(FRAME.ask, { seq: 1, what: "service", ...question }, body);

/** What it does with the services that it may ask for. */
const SERVICES: Readonly<Record<string, (id: number) => void>> = {
  "an unknown service": () => service({ service: "eval" }),
  "a service of the prototype": () => service({ service: "constructor" }),
  "a call of no name": () => service({ service: "call" }),
  "a name that is too long": () =>
    service({ service: "call", name: "x".repeat(1_025) }),
  "a name that is no text": () => service({ service: "call", name: 1 }),
  "an input that is too long": () =>
    service({ service: "call", name: "echo" }, new Uint8Array(2 ** 20 + 1)),
  "a message that is too long": () =>
    service({ service: "send" }, new Uint8Array(2 ** 20 + 1)),
  "a question with a body": () =>
    service({ service: "receive" }, new Uint8Array(1)),
  "an endless timeout": () =>
    service({ service: "receive", timeoutMs: 2 ** 31 }),
  "a negative timeout": () => service({ service: "receive", timeoutMs: -1 }),
  "a read of nothing": () => service({ service: "read", maxBytes: 0 }),
  "a read of too much": () => service({ service: "read", maxBytes: 2 ** 20 }),
  "a write of nothing": () => service({ service: "write" }),
  "a plug-in's call that is none": () =>
    service({ service: "extism" }, ENCODER.encode("\x09\0\0\0[1,2,3,4]")),
  "a plug-in's call of another length": () =>
    service({ service: "extism" }, new Uint8Array(9).fill(0xff)),
  "a plug-in's call that is too long": () =>
    service({ service: "extism" }, new Uint8Array(6 * 2 ** 20)),
  "a paced write of nothing": () => send(FRAME.write, {}),
  "a piece that is too long": () =>
    send(FRAME.write, {}, new Uint8Array(STREAM_BYTES + 1)),
  "a write with a word": () => send(FRAME.write, { fd: 1 }, new Uint8Array(9)),
  "a line of no level": () => send(FRAME.log, {}, new Uint8Array(9)),
  "a line of level __proto__": () => send(FRAME.log, { level: "__proto__" }),
  "a line that is too long": () =>
    send(FRAME.log, { level: "info" }, new Uint8Array(2 ** 15)),
  "two questions at once": () => {
    const both = [1, 2].flatMap((seq) => [
      ...encode(FRAME.ask, {
        seq,
        what: "service",
        service: "call",
        name: "slow",
      }),
    ]);
    raw(Uint8Array.from(both.flatMap((chunk) => [...chunk])));
  },
  "an answer amid a question": (id) => {
    const both = [
      ...encode(FRAME.ask, {
        seq: 1,
        what: "service",
        service: "call",
        name: "slow",
      }),
      ...encode(FRAME.done, { id, values: ["5"] }),
    ];
    raw(Uint8Array.from(both.flatMap((chunk) => [...chunk])));
  },
  "going on when it had to end": (id) => {
    service({ service: "call", name: "fatal" });
    receive();
    send(FRAME.done, { id, values: ["5"] });
  },
  "asking on when it had to end": () => {
    service({ service: "call", name: "fatal" });
    receive();
    service({ service: "call", name: "echo" });
  },
  "more calls than it may make": () => {
    for (;;) {
      service({ service: "call", name: "echo" });
      receive();
    }
  },
  "more lines than it may write": () => {
    for (;;) send(FRAME.log, { level: "info" });
  },
  "more than there is room for": () => {
    for (;;) send(FRAME.write, {}, new Uint8Array(STREAM_BYTES));
  },
};

/** Floods that keep to the rules. */
const FLOODS: Readonly<Record<string, (id: number) => void>> = {
  "flood of lines": () => {
    const line = new Uint8Array(20).fill(0x78);
    const [bytes = line] = encode(FRAME.log, { level: "info" }, line);
    paced(bytes);
  },
  "flood of writes": () => {
    const piece = new Uint8Array(1);
    const [bytes = piece] = encode(FRAME.write, {}, piece);
    paced(bytes);
  },
  "flood of questions": () => {
    for (let seq = 1;; seq++) {
      send(FRAME.ask, { seq, what: "service", service: "call", name: "echo" });
      receive();
    }
  },
  "flood of unread answers": () => {
    for (let seq = 1;; seq++) {
      send(FRAME.ask, { seq, what: "service", service: "call", name: "large" });
      wait(1);
    }
  },
};

/** Sends the same over and over, as fast as the window allows. */
function paced(bytes: Uint8Array): never {
  const cost = costOf(bytes.length);
  const count = Math.floor(WINDOW_BYTES / 4 / cost);
  const many = new Uint8Array(count * bytes.length);
  for (let at = 0; at < many.length; at += bytes.length) many.set(bytes, at);
  let credit = WINDOW_BYTES;
  for (;;) {
    while (credit < count * cost) credit += Number(receive().header["bytes"]);
    credit -= count * cost;
    raw(many);
  }
}

function wait(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function spin(): never {
  for (;;);
}

function floodErrors(): never {
  const bytes = new Uint8Array(65_536).fill(0x1b);
  for (;;) Deno.stderr.writeSync(bytes);
}

/** Files that it hands back, where the guest may keep some in /data. */
const FILES: Readonly<Record<string, string>> = {
  "a path elsewhere": "/etc/passwd",
  "a path that leads up": "/data/../etc/passwd",
  "a path that ends above": "/data/a/../..",
  "a path that stays": "/data/./a",
  "a path beside": "/data2/a",
  "a path of nothing": "/data/",
  "a path with a gap": "/data//a",
  "the mount itself": "/data",
};

/** Names of everything that it does. */
export const KINDS = {
  files: Object.keys(FILES),
  calls: Object.keys(CALLS),
  forever: Object.keys(FOREVER),
  services: Object.keys(SERVICES),
  floods: Object.keys(FLOODS),
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
        asks: Object.hasOwn(SERVICES, what) || what.startsWith("flood of "),
      };
      send(FRAME.done, { id }, ENCODER.encode(JSON.stringify(module)));
    } else if (type === FRAME.execute) {
      const files = encodeFiles([[
        FILES[what] ?? "/data/a",
        ENCODER.encode("x"),
      ]]);
      send(FRAME.done, { id, exitCode: 0 }, files);
    } else if (type === FRAME.instantiate) send(FRAME.done, { id });
    else if (type === FRAME.call) {
      (CALLS[what] ?? FOREVER[what] ?? SERVICES[what] ?? FLOODS[what])?.(id);
    }
  }
}

if (import.meta.main) main();
