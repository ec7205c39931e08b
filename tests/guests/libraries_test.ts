import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type PlainAnswer,
  PlainHost,
  type PlainServices,
} from "./_plain_host.ts";
import { LANGUAGES, openToolbox } from "./_toolbox.ts";

/** The guest in Go needs WASI as well: toolbox_test.ts has it. */
const PLAIN = LANGUAGES.filter((language) => language !== "go");

async function compile(
  language: typeof LANGUAGES[number],
): Promise<WebAssembly.Module> {
  await using toolbox = await openToolbox(language);
  assert(toolbox !== undefined);
  const bytes = await Deno.readFile(toolbox.module);
  return await WebAssembly.compile(bytes);
}

function fault(status: number, document: unknown): PlainAnswer {
  return { status, bytes: JSON.stringify(document) };
}

function good(value: unknown): PlainAnswer {
  return { status: 0, bytes: JSON.stringify(value) };
}

for (const language of PLAIN) {
  const module = await compile(language);
  const host = (services: PlainServices = {}) =>
    new PlainHost(module, services);

  Deno.test(`the library of ${language} exports and imports what the ABI says`, () => {
    const exports = WebAssembly.Module.exports(module).map(({ name }) => name);
    for (const name of ["alloc", "free", "abi_1"]) {
      assert(exports.includes(`wasm_sandbox_${name}`), name);
    }
    const imports = WebAssembly.Module.imports(module);
    assertEquals(new Set(imports.map(({ module }) => module)).size, 1);
    assertEquals(
      imports.map(({ name }) => name).sort(),
      [
        "call",
        "fail",
        "log",
        "read",
        "receive",
        "send",
        "take",
        "version",
        "write",
      ],
    );
  });

  Deno.test(`the library of ${language} tells each status as data`, () => {
    for (const status of [1, 2, 3, 4, 5, 6, 7, 8, 4_000_000_000]) {
      const document = { code: "no", message: "it is so", data: [1, null] };
      const guest = host({ call: () => fault(status, document) });
      const told = guest.json("store_error", "key");
      assertEquals(told, { status, fault: document });
      assertThrows(() => guest.json("lookup", "key"), Error, "it is so");
      assertEquals(guest.json("greet", "you"), { greeting: "Hello, you!" });
    }
  });

  Deno.test(`the library of ${language} reads a fault's message without escapes`, () => {
    const message =
      'a "b" \\ \n\t\r\b\f \u001f / Grüße, 世界 🌍, "message":"x"';
    const code = 'odd "message":"no"';
    const services = { call: () => fault(4, { code, message }) };
    const error = assertThrows(() => host(services).json("lookup", 1), Error);
    assertEquals(error.message, message);
    // cut short, as by too small a buffer
    const bytes = JSON.stringify({ code: "x", message: 'y\\"z' });
    for (let length = 0; length < bytes.length; length++) {
      const cut = { status: 4, bytes: bytes.slice(0, length) };
      const guest = host({
        call: () => cut,
        send: () => cut,
        write: () => cut,
      });
      const { message } = assertThrows(() => guest.json("lookup", 1), Error);
      assert(message.length < 60, message);
    }
  });

  Deno.test(`the library of ${language} takes an answer of no bytes`, () => {
    const guest = host({ call: () => ({ status: 0, bytes: "" }) });
    assertEquals(guest.call("relay", "x"), new Uint8Array());
    assertEquals(guest.json("store_error", 1), { status: 0, answer: null });
    const silent = host({ call: () => ({ status: 1, bytes: "" }) });
    assertEquals(silent.json("store_error", 1), { status: 1, fault: null });
    assertThrows(() => silent.json("lookup", 1), Error);
  });

  Deno.test(`the library of ${language} takes what waits, in its length`, () => {
    for (const length of [1, 7, 4_096, 65_536, 3_000_000]) {
      const large = new Uint8Array(length).map((_, at) => at * 7 % 251);
      const guest = host({ call: (_, input) => ({ status: 0, bytes: input }) });
      assertEquals(guest.call("relay", large), large);
      assertEquals(guest.takes, [length]);
      assertEquals(guest.call("reverse", large), large.reverse());
    }
  });

  Deno.test(`the library of ${language} passes on what streams and channel refuse`, () => {
    for (const status of [2, 3, 4, 5, 6, 7]) {
      const refused = fault(status, {
        code: "no",
        message: `status ${status}`,
      });
      const fails = (name: string, services: PlainServices) =>
        assertThrows(
          () => host(services).json(name, 8),
          Error,
          refused.bytes
            .toString().slice(-10, -2),
        );
      const read = () => good("x");
      fails("upper", { read: () => refused, write: () => refused });
      fails("upper", { read, write: () => refused });
      fails("sip", { read, write: () => refused });
      fails("converse", { receive: () => good(1), send: () => refused });
      if (status === 6 || status === 7) continue;
      fails("converse", { receive: () => refused });
    }
  });

  Deno.test(`the library of ${language} waits as long as it is told`, () => {
    const waited: number[] = [];
    const guest = host({
      receive(timeoutMs) {
        waited.push(timeoutMs);
        return fault(7, { code: "timed-out", message: "none" });
      },
    });
    for (const timeout of [0, 50, 1_000_000]) {
      const told = guest.json("converse", timeout);
      assertEquals(told, { messages: 0, timedOut: true });
    }
    const closed = host({
      receive(timeoutMs) {
        waited.push(timeoutMs);
        return fault(6, { code: "closed", message: "closed" });
      },
    });
    const told = closed.json("converse", -1);
    assertEquals(told, { messages: 0, timedOut: false });
    assertEquals(waited, [0, 50, 1_000_000, -1]);
  });

  Deno.test(`the library of ${language} reads into small buffers, and writes nothing`, () => {
    const asked: number[] = [];
    const written: number[] = [];
    let left = 10;
    const guest = host({
      read(length) {
        asked.push(length);
        const size = Math.min(left, length);
        left -= size;
        return { status: 0, bytes: new Uint8Array(size) };
      },
      write(bytes) {
        written.push(bytes.length);
        return { status: 0, bytes: "" };
      },
    });
    assertEquals(guest.json("sip", 4), { reads: 3, bytes: 10 });
    assertEquals(asked, [4, 4, 4, 4]);
    assertEquals(written, [0, 4, 4, 2]);
    left = 3;
    assertEquals(guest.json("sip", 1), { reads: 3, bytes: 3 });
  });

  Deno.test(`the library of ${language} packs and unpacks envelopes`, () => {
    const header = JSON.stringify({ status: 200, headers: [], url: "u" });
    const envelope = (length: number, rest: string) =>
      Uint8Array.of(
        length & 255,
        length >>> 8 & 255,
        length >>> 16 & 255,
        length >>> 24,
        ...new TextEncoder().encode(rest),
      );
    let asked = "";
    const guest = host({
      call(name, input) {
        asked = name + new TextDecoder().decode(input.subarray(4));
        const length = new DataView(input.buffer).getUint32(0, true);
        assertEquals(length, input.length - 4 - 4);
        return { status: 0, bytes: envelope(header.length, `${header}body`) };
      },
    });
    const told = guest.json("fetch", "http://ö/") as Record<string, unknown>;
    assertEquals(told, { header: JSON.parse(header), bytes: 4 });
    assert(asked.startsWith("http.request{"), asked);
    assert(asked.endsWith("}ping"), asked);
    for (
      const wrong of [
        new Uint8Array(),
        Uint8Array.of(0, 0, 0),
        envelope(1, ""),
        envelope(0xffffffff, "x"),
      ]
    ) {
      const lying = host({ call: () => ({ status: 0, bytes: wrong }) });
      assertThrows(() => lying.json("fetch", "http://x/"), Error);
    }
  });

  Deno.test(`the library of ${language} logs, fails and knows its host`, () => {
    const guest = host();
    assertEquals(guest.json("chatter", "ö"), { lines: 5 });
    assertEquals(guest.lines, [0, 1, 2, 3, 4].map((level) => [level, '"ö"']));
    assertThrows(() => guest.json("refuse", "ö"), Error, 'refused: "ö"');
    assertThrows(() => guest.json("greet", 1), Error, "expected a JSON string");
    assertEquals(guest.json("greet", 'ö "x"'), { greeting: 'Hello, ö "x"!' });
  });

  Deno.test(`the library of ${language} gives back what it took`, () => {
    const guest = host({ call: (_, input) => ({ status: 0, bytes: input }) });
    const large = new Uint8Array(300_000);
    const pages = () => guest.pages;
    guest.call("relay", large);
    for (let turn = 0; turn < 20; turn++) guest.call("relay", large);
    const before = pages();
    for (let turn = 0; turn < 200; turn++) guest.call("relay", large);
    assert(pages() - before < 16, `${pages() - before} pages`);
  });
}
