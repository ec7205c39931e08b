import type * as client from "@modelcontextprotocol/sdk/client";
import type * as transport from "@modelcontextprotocol/sdk/shared/transport";
import type * as types from "@modelcontextprotocol/sdk/types";

const ROOT = new URL("../../", import.meta.url);

/** What a tool gave. */
export interface ToolAnswer {
  readonly text: string;
  readonly isError: boolean;
}

/** A client of the official SDK, whose server is a process that it started. */
export interface Connected extends AsyncDisposable {
  readonly client: client.Client;
  call(
    name: string,
    input: Record<string, unknown>,
    options?: { signal?: AbortSignal },
  ): Promise<ToolAnswer>;
}

/**
 * A server on the standard streams of a process. That of the SDK leaves timers
 * behind when it is closed.
 */
class ProcessTransport implements transport.Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: types.JSONRPCMessage) => void;
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #reading = Promise.resolve();

  constructor(args: readonly string[]) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [...args],
      cwd: ROOT,
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
  }

  start(): Promise<void> {
    this.#reading = this.#read();
    return Promise.resolve();
  }

  async send(message: types.JSONRPCMessage): Promise<void> {
    const line = `${JSON.stringify(message)}\n`;
    await this.#writer.write(new TextEncoder().encode(line));
  }

  async close(): Promise<void> {
    await this.#writer.close().catch(() => {});
    await this.#reading;
    await this.#child.status;
    this.onclose?.();
  }

  async #read(): Promise<void> {
    let rest = "";
    const text = this.#child.stdout.pipeThrough(new TextDecoderStream());
    for await (const piece of text) {
      const lines = `${rest}${piece}`.split("\n");
      rest = lines.pop() ?? "";
      // a line that is no message is a failure of the test
      for (const line of lines) this.onmessage?.(JSON.parse(line));
    }
  }
}

/** Starts a `deno` command here, and talks to it as an agent does. */
export async function connect(...args: string[]): Promise<Connected> {
  const { Client }: typeof client = await import(
    "@modelcontextprotocol/sdk/client/index.js"
  );
  const connected = new Client({ name: "test", version: "1.0.0" });
  await connected.connect(new ProcessTransport(args));
  return {
    client: connected,
    async call(name, input, options = {}) {
      const answer = await connected.callTool(
        { name, arguments: input },
        undefined,
        options,
      );
      const content = answer.content as readonly { text?: string }[];
      const text = content.map(({ text = "" }) => text).join("");
      return { text, isError: answer.isError === true };
    },
    [Symbol.asyncDispose]: () => connected.close(),
  };
}
