import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { GuestFault, MemoryChannel } from "../../communication/mod.ts";
import {
  Capabilities,
  type Isolation,
  Sandbox,
  type SandboxOptions,
} from "../../mod.ts";
import {
  assertAlive,
  LANGUAGES,
  openToolbox,
  problemOf,
  refusalOf,
  type Toolbox,
  toolboxPolicy,
} from "./_toolbox.ts";

const ISOLATIONS = ["inline", "process"] as const;

/** A guest, and where it runs. */
interface Place {
  readonly toolbox: Toolbox;
  readonly isolation: Isolation;
}

function open(
  { toolbox, isolation }: Place,
  options: Partial<SandboxOptions> = {},
): Promise<Sandbox> {
  return Sandbox.create({
    module: toolbox.module,
    policy: toolboxPolicy(toolbox),
    isolation,
    ...options,
    limits: {
      functionBytes: 2 ** 20,
      timeoutMs: 20_000,
      messageBytes: 2 ** 20,
      ...options.limits,
    },
  });
}

/** A stream of these chunks. */
function sourceOf(chunks: Iterable<Uint8Array>): ReadableStream<Uint8Array> {
  return ReadableStream.from(chunks);
}

/** A stream that keeps what it is given. */
function keeper(): { sink: WritableStream<Uint8Array>; text(): string } {
  const chunks: Uint8Array[] = [];
  const sink = new WritableStream<Uint8Array>({
    write: (chunk) => void chunks.push(chunk.slice()),
  });
  const decoder = new TextDecoder();
  return {
    sink,
    text: () =>
      chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join(""),
  };
}

const bytesOf = (text: string) => new TextEncoder().encode(text);

const STATUSES = [
  "denied",
  "unknown",
  "invalid",
  "failed",
  "too-large",
  "closed",
  "timed-out",
] as const;

const CASES: Readonly<Record<string, (place: Place) => Promise<void>>> = {
  async "answers JSON and bytes, and knows its host"(place) {
    await using sandbox = await open(place);
    await assertAlive(sandbox);
    assertEquals(await sandbox.call("greet", 'Grüße, "世界" 🌍'), {
      greeting: 'Hello, Grüße, "世界" 🌍!',
    });
    assertEquals(await sandbox.call("host_version", []), 1);
    for (const length of [0, 1, 1_000, 2 ** 20]) {
      const bytes = new Uint8Array(length).map((_, at) => at % 251);
      for (let turn = 0; turn < 3; turn++) {
        assertEquals(await sandbox.call("echo", bytes), bytes);
      }
      const reply = await sandbox.call("reverse", bytes);
      assertEquals(reply, bytes.reverse());
    }
  },

  async "calls functions of the host with JSON and bytes"(place) {
    const store = new Map<unknown, unknown>([["color", { r: 1, g: "ü" }]]);
    await using sandbox = await open(place, {
      hostFunctions: {
        "kv.get": (key: unknown) => store.get(key) ?? null,
        "blob.turn": {
          codec: "bytes",
          handler: async (input: Uint8Array) => {
            await Promise.resolve();
            return input.toReversed();
          },
        },
      },
    });
    assertEquals(await sandbox.call("lookup", "color"), { r: 1, g: "ü" });
    assertEquals(await sandbox.call("lookup", "none"), null);
    for (const length of [0, 1, 2 ** 20]) {
      const bytes = new Uint8Array(length).map((_, at) => at % 251);
      assertEquals(await sandbox.call("relay", bytes), bytes.toReversed());
    }
  },

  async "is told of faults as data"(place) {
    const message = 'no "such" key\n';
    await using sandbox = await open(place, {
      hostFunctions: {
        "kv.get": (status: typeof STATUSES[number]) => {
          throw new GuestFault(status, message, { code: "my-code", data: [1] });
        },
      },
    });
    for (const [index, status] of STATUSES.entries()) {
      assertEquals(await sandbox.call("store_error", status), {
        status: index + 1,
        fault: { code: "my-code", message, data: [1] },
      });
      const problem = await problemOf(sandbox.call("lookup", status));
      assertStringIncludes(problem, 'no "such" key');
    }
    const nobody = await problemOf(sandbox.call("relay", new Uint8Array(3)));
    assertStringIncludes(nobody, "no function of this name");
    await assertAlive(sandbox);
  },

  async "is told no more than that a function failed"(place) {
    const errors: unknown[] = [];
    await using sandbox = await open(place, {
      onHostFunctionError: ({ cause }) => void errors.push(cause),
      hostFunctions: {
        "kv.get": () => Promise.reject(new Error("the secret")),
      },
    });
    assertEquals(await sandbox.call("store_error", "x"), {
      status: 4,
      fault: { code: "failed", message: "the host function failed" },
    });
    assertEquals(errors.map(String), ["Error: the secret"]);
  },

  async "is told of an answer that is too large"(place) {
    await using sandbox = await open(place, {
      limits: { messageBytes: 10_000 },
      hostFunctions: {
        "blob.turn": {
          codec: "bytes",
          handler: (input: Uint8Array) => new Uint8Array(input.length * 2),
        },
      },
    });
    const relayed = await sandbox.call<Uint8Array>(
      "relay",
      new Uint8Array(5_000),
    );
    assertEquals(relayed.length, 10_000);
    const problem = await problemOf(
      sandbox.call("relay", new Uint8Array(5_001)),
    );
    assertStringIncludes(problem, "longer than messageBytes");
    await assertAlive(sandbox);
  },

  async "is told that it has no memory for an answer"(place) {
    // what the other languages' own runtimes do without memory is to abort
    if (!["c", "rust", "zig"].includes(place.toolbox.language)) return;
    await using sandbox = await open(place, {
      limits: { memoryBytes: 4 * 2 ** 20, messageBytes: 16 * 2 ** 20 },
      hostFunctions: {
        "blob.turn": { codec: "bytes", handler: () => new Uint8Array(2 ** 23) },
      },
    });
    for (let turn = 0; turn < 3; turn++) {
      await problemOf(sandbox.call("relay", new Uint8Array(1)));
      await assertAlive(sandbox);
    }
  },

  async "converses until the channel is closed"(place) {
    await using channel = new MemoryChannel<unknown, unknown>();
    await using sandbox = await open(place, { channel });
    const conversation = sandbox.call("converse", -1);
    for (const message of ["a", { b: "ö" }, [null, 1.5]]) {
      await channel.send(message);
      assertEquals(await channel.receiveResult(), { echo: message });
    }
    channel.close();
    assertEquals(await conversation, { messages: 3, timedOut: false });
    await assertAlive(sandbox);
  },

  async "waits for a message no longer than it wants"(place) {
    await using channel = new MemoryChannel<unknown, unknown>();
    await using sandbox = await open(place, { channel });
    assertEquals(await sandbox.call("converse", 0), {
      messages: 0,
      timedOut: true,
    });
    await channel.send(1);
    const start = performance.now();
    assertEquals(await sandbox.call("converse", 60), {
      messages: 1,
      timedOut: true,
    });
    const tookMs = performance.now() - start;
    assert(tookMs > 50 && tookMs < 5_000, `${tookMs} ms`);
    assertEquals(await channel.receiveResult(), { echo: 1 });
  },

  async "is told that there is no channel, and no stream"(place) {
    await using sandbox = await open(place);
    for (const name of ["converse", "upper"]) {
      const problem = await problemOf(sandbox.call(name, 1));
      assertStringIncludes(problem, "no ");
    }
    const sourceless = keeper();
    const problem = await problemOf(
      sandbox.call("upper", 1, { sink: sourceless.sink }),
    );
    assertStringIncludes(problem, "no stream to read from");
    const source = sourceOf([bytesOf("x")]);
    const sinkless = await problemOf(sandbox.call("upper", 1, { source }));
    assertStringIncludes(sinkless, "no stream to write to");
    await assertAlive(sandbox);
  },

  async "turns a stream into another"(place) {
    await using sandbox = await open(place);
    const line = "a line of Text, ö\n".repeat(5_000);
    const chunks = Array.from({ length: 20 }, () => bytesOf(line));
    const { sink, text } = keeper();
    const reply = await sandbox.call("upper", null, {
      source: sourceOf(chunks),
      sink,
    });
    assertEquals(reply, { bytes: bytesOf(line).length * 20 });
    const upper = line.replaceAll(/[a-z]/g, (letter) => letter.toUpperCase());
    assert(text() === upper.repeat(20));
  },

  async "reads into small buffers, and writes nothing"(place) {
    await using sandbox = await open(place);
    const chunks = [bytesOf("abcdefg"), new Uint8Array(), bytesOf("hi")];
    const { sink, text } = keeper();
    const reply = await sandbox.call("sip", 3, {
      source: sourceOf(chunks),
      sink,
    });
    assertEquals(reply, { reads: 4, bytes: 9 });
    assertEquals(text(), "abcdefghi");
    const problem = await problemOf(
      sandbox.call("sip", 0, { source: sourceOf(chunks), sink: keeper().sink }),
    );
    assertStringIncludes(problem, "no room");
    await assertAlive(sandbox);
  },

  async "writes lines of each level into the audit"(place) {
    await using sandbox = await open(place);
    assertEquals(await sandbox.call("chatter", "Grüße"), { lines: 5 });
    const lines = sandbox.audit.events()
      .filter(({ capability }) => capability === "log")
      .map(({ operation, resource }) => [operation, resource]);
    assertEquals(
      lines,
      ["trace", "debug", "info", "warn", "error"].map((level) => [
        `log.${level}`,
        '"Grüße"',
      ]),
    );
  },

  async "says that it failed, and lives on"(place) {
    await using sandbox = await open(place);
    for (let turn = 0; turn < 3; turn++) {
      const problem = await problemOf(sandbox.call("refuse", "bad"));
      assertEquals(problem, 'refused: "bad"');
      await assertAlive(sandbox);
    }
    const problem = await problemOf(sandbox.call("greet", 1));
    assertEquals(problem, "expected a JSON string");
  },

  async "asks by HTTP for what it may have"(place) {
    const asked: string[] = [];
    await using server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {} },
      async (request) => {
        const type = request.headers.get("content-type");
        asked.push(`${request.method} ${type} ${await request.text()}`);
        return new Response("pong, ö", { status: 201 });
      },
    );
    const { port } = server.addr;
    const policy = toolboxPolicy(place.toolbox).allowCapability(
      Capabilities.networkAccess([`http://127.0.0.1:${port}`]),
    );
    await using sandbox = await open(place, { policy });
    const url = `http://127.0.0.1:${port}/a?b=ö`;
    const reply = await sandbox.call<
      { header: Record<string, unknown>; bytes: number }
    >("fetch", url);
    assertEquals(reply.bytes, 8);
    assertEquals(reply.header.status, 201);
    assertEquals(reply.header.url, new URL(url).href);
    assertEquals(asked, ["POST text/plain ping"]);
    const denied = await problemOf(
      sandbox.call("fetch", `http://127.0.0.1:${port + 1}/`),
    );
    assertStringIncludes(denied, "does not permit");
    const wrong = await problemOf(sandbox.call("fetch", "nowhere"));
    assertStringIncludes(wrong, "URL");
    await assertAlive(sandbox);
  },

  async "is ended at its deadline while it waits"(place) {
    await using channel = new MemoryChannel<unknown, unknown>();
    await using sandbox = await open(place, {
      channel,
      limits: { timeoutMs: 300 },
    });
    const start = performance.now();
    const error = await refusalOf(sandbox.call("converse", -1));
    assertEquals(error.code, "limit-exceeded");
    assert(performance.now() - start < 5_000);
  },
};

for (const language of LANGUAGES) {
  Deno.test(`the guest in ${language}`, async (test) => {
    await using toolbox = await openToolbox(language);
    if (toolbox === undefined) {
      const name = "skipped: there is no Go";
      await test.step({ name, ignore: true, fn() {} });
      return;
    }
    for (const isolation of ISOLATIONS) {
      for (const [name, run] of Object.entries(CASES)) {
        await test.step(`${name}, ${isolation}`, () =>
          run({ toolbox, isolation }));
      }
    }
  });
}
