/**
 * Wasmtime's binding for Python, in a process that is asked line by line.
 *
 * @module
 */

import { fileURLToPath } from "node:url";

/** A setting by the name that Wasmtime's C API has for it. */
export type WasmtimeConfig = Readonly<Record<string, boolean | number>>;

/** What is said of a guest that stays in the process. */
export interface PeerGuest {
  /** The name that it is asked for by. */
  readonly guest: string;
  /** Its module. */
  readonly module: Uint8Array<ArrayBuffer>;
  /** How its engine is set up; what is left out has the binding's default. */
  readonly config: WasmtimeConfig;
}

/** What is called, with which numbers. */
export interface PeerCall {
  /** The guest. */
  readonly guest: string;
  /** The export. */
  readonly name: string;
  /** Its arguments. */
  readonly args: readonly number[];
}

type Answer = Readonly<Record<string, unknown>>;

const PROGRAM = fileURLToPath(new URL("runtimes_peer.py", import.meta.url));

/** Wasmtime's binding for Python. It measures by itself. */
export class WasmtimePeer implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<string>;
  readonly #folder: string | undefined;
  #rest = "";
  /** The version of the binding, which is that of its library. */
  version = "";
  /** Path of its library. */
  library = "";

  private constructor(child: Deno.ChildProcess, folder?: string) {
    this.#child = child;
    this.#writer = child.stdin.getWriter();
    this.#reader = child.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
    this.#folder = folder;
  }

  /**
   * Starts it: the binding that Python finds, if it is of the right version,
   * or else one that pip puts into a folder of its own.
   *
   * @param version The version; whichever there is, if left out.
   * @returns The peer.
   * @throws {Error} If there is no Python, or no such binding.
   */
  static async start(version?: string): Promise<WasmtimePeer> {
    const found = await WasmtimePeer.#open();
    if (found instanceof WasmtimePeer) {
      if (version === undefined || found.version === version) return found;
      await found[Symbol.asyncDispose]();
    }
    const folder = await Deno.makeTempDir();
    try {
      await install(version, folder);
      const installed = await WasmtimePeer.#open(folder);
      if (installed instanceof WasmtimePeer) return installed;
      throw installed;
    } catch (error) {
      await Deno.remove(folder, { recursive: true });
      throw error;
    }
  }

  static async #open(folder?: string): Promise<WasmtimePeer | Error> {
    const child = new Deno.Command("python3", {
      args: [PROGRAM],
      ...(folder === undefined ? {} : { env: { PYTHONPATH: folder } }),
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const peer = new WasmtimePeer(child, folder);
    try {
      const { version, library } = await peer.#ask({ do: "version" });
      peer.version = String(version);
      peer.library = String(library);
      return peer;
    } catch (error) {
      await child.status;
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  /** Compiles a module, and keeps an instance of it. */
  async load({ module, ...guest }: PeerGuest): Promise<void> {
    await this.#ask({ do: "load", ...guest, module: module.toBase64() });
  }

  /** Lets an instance go. */
  async drop(guest: string): Promise<void> {
    await this.#ask({ do: "drop", guest });
  }

  /** Calls a guest that is loaded, many times; gives milliseconds for all. */
  call(call: PeerCall, times: number): Promise<number> {
    return this.#time({ do: "call", ...call, times });
  }

  /** Makes instances of a module that is loaded, and lets them go. */
  cycle(guest: string, times: number): Promise<number> {
    return this.#time({ do: "cycle", guest, times });
  }

  /** From a module's bytes, or those of its compiled form, to a result. */
  first(call: PeerCall, from: "compile" | "deserialize"): Promise<number> {
    return this.#time({ do: from, ...call });
  }

  /** Ends the process, and removes what was installed for it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close();
    await this.#reader.cancel();
    await this.#child.status;
    if (this.#folder !== undefined) {
      await Deno.remove(this.#folder, { recursive: true });
    }
  }

  async #time(request: Answer): Promise<number> {
    const { ms } = await this.#ask(request);
    return Number(ms);
  }

  async #ask(request: Answer): Promise<Answer> {
    const line = `${JSON.stringify(request)}\n`;
    await this.#writer.write(new TextEncoder().encode(line));
    const answer: Answer = JSON.parse(await this.#line());
    if (answer["error"] !== undefined) {
      throw new Error(`Cannot ${request["do"]} in Python: ${answer["error"]}`);
    }
    return answer;
  }

  async #line(): Promise<string> {
    for (;;) {
      const end = this.#rest.indexOf("\n");
      if (end >= 0) {
        const line = this.#rest.slice(0, end);
        this.#rest = this.#rest.slice(end + 1);
        return line;
      }
      const { done, value } = await this.#reader.read();
      if (done) throw new Error("Cannot ask Python: it has no wasmtime");
      this.#rest += value;
    }
  }
}

async function install(
  version: string | undefined,
  folder: string,
): Promise<void> {
  const binding = version === undefined ? "wasmtime" : `wasmtime==${version}`;
  const { success, stderr } = await new Deno.Command("python3", {
    args: ["-m", "pip", "install", "--quiet", "--target", folder, binding],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (success) return;
  const reason = new TextDecoder().decode(stderr).trim().split("\n").at(-1);
  throw new Error(`Cannot install ${binding} by pip: ${reason}`);
}
