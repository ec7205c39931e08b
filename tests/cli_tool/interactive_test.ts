import { assert, assertEquals, assertRejects } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import type { CliTool } from "../../wrappers/cli_tool.ts";
import { actor } from "./_tool.ts";

/** Somebody who types when they are asked, and what they see. */
class Person {
  seen = "";
  readonly streams: {
    readonly stdin: ReadableStream<Uint8Array>;
    readonly stdout: WritableStream<Uint8Array>;
    readonly stderr: WritableStream<Uint8Array>;
  };
  readonly #lines: string[];
  #typed: ReadableStreamDefaultController<Uint8Array> | undefined;

  constructor(lines: readonly string[]) {
    this.#lines = [...lines];
    const screen = () =>
      new WritableStream<Uint8Array>({ write: (piece) => this.#see(piece) });
    const stdin = new ReadableStream<Uint8Array>({
      start: (controller) => void (this.#typed = controller),
    });
    this.streams = { stdin, stdout: screen(), stderr: screen() };
  }

  #see(piece: Uint8Array): void {
    this.seen += new TextDecoder().decode(piece);
    const line = this.seen.endsWith("> ") ? this.#lines.shift() : undefined;
    if (line === undefined) return;
    this.seen += line;
    this.#typed?.enqueue(new TextEncoder().encode(line));
  }
}

async function see(
  tool: CliTool,
  args: readonly string[],
  isTerminal?: boolean,
): Promise<string> {
  const person = new Person([]);
  const given = isTerminal === undefined ? {} : { isTerminal };
  await tool.interactive(args, { ...person.streams, ...given });
  return person.seen;
}

Deno.test("interactive() shows what is asked before it is answered", async () => {
  await using tool = await actor({ isolation: "process" });
  const person = new Person(["hello\n", "world\n", "quit\n"]);
  const { exitCode } = await tool.interactive(["repl"], person.streams);
  assertEquals(exitCode, 0);
  assertEquals(
    person.seen,
    "> hello\nHELLO\n> world\nWORLD\n> quit\n",
  );
  // the terminal is still its owner's
  for (const stream of Object.values(person.streams)) assert(!stream.locked);
});

Deno.test("interactive() shows what a terminal would obey, and does not pass it on", async () => {
  await using tool = await actor({ isolation: "process" });
  const evil = "\x1b]0;title\x07\x1b[2J\x9b31mred\r\u202e";
  for (const verb of ["say", "warn"]) {
    assertEquals(
      await see(tool, [verb, evil]),
      "\\u{1b}]0;title\\u{7}\\u{1b}[2J\\u{9b}31mred\\u{d}\\u{202e}",
    );
  }
  assertEquals(await see(tool, ["say", evil], false), evil);
});

Deno.test("interactive() is refused inline", async () => {
  await using tool = await actor();
  const error = await assertRejects(
    () => tool.interactive(["repl"], new Person([]).streams),
    SandboxError,
    'set isolation to "process"',
  );
  assertEquals(error.code, "unsupported");
});

Deno.test("interactive() ends with its signal, and at its deadline", async () => {
  await using tool = await actor({
    isolation: "process",
    limits: { timeoutMs: 1_000 },
    maxConcurrentRuns: 1,
  });
  const controller = new AbortController();
  const { signal } = controller;
  const gone = tool.interactive(["repl"], {
    ...new Person([]).streams,
    signal,
  });
  setTimeout(() => controller.abort(new Error("hung up")), 50);
  await assertRejects(() => gone, Error, "hung up");
  const late = await assertRejects(() =>
    tool.interactive(["repl"], new Person([]).streams)
  );
  assert(SandboxError.is(late, "limit-exceeded"));
  assertEquals((await tool.run(["say", "next"])).stdoutText, "next");
});
