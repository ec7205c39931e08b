/** Generated projects, in folders of their own. */

import { assert } from "@std/assert";
import {
  type TemplateConfig,
  TemplateFactory,
  writeProject,
} from "../../templates/mod.ts";

/** This checkout, which generated projects are linked with. */
export const CHECKOUT = decodeURIComponent(
  new URL("../../", import.meta.url).pathname,
).replace(/\/$/, "");

/** A folder that goes when the test does. */
export class Folder implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async make(): Promise<Folder> {
    return new Folder(await Deno.makeTempDir());
  }

  /** Generates a project in it, and tells its files. */
  async generate(
    template: string,
    config: TemplateConfig = {},
    name: string = template,
  ): Promise<readonly string[]> {
    const files = await new TemplateFactory().render(template, {
      link: CHECKOUT,
      ...config,
    });
    await writeProject(files, `${this.path}/${name}`);
    return [...files.keys()];
  }

  /** Runs deno in it, and gives what it printed; fails if that fails. */
  async deno(args: readonly string[], where = ""): Promise<string> {
    const { path, end } = await this.#run(args, where);
    assert(end.success, `deno ${args.join(" ")} in ${path}: ${end.text}`);
    return end.text;
  }

  /**
   * Runs a project's own task `test`, and gives what it printed. Types are
   * checked for all projects at once, which takes much less time.
   */
  async test(where: string): Promise<string> {
    const path = `${this.path}/${where}/deno.json`;
    const config = await Deno.readTextFile(path);
    assert(config.includes("deno test"));
    await Deno.writeTextFile(
      path,
      config.replace("deno test", "deno test --no-check"),
    );
    return await this.deno(["task", "test"], where);
  }

  async #run(args: readonly string[], where: string) {
    const path = `${this.path}/${where}`;
    const bin = Deno.execPath().replace(/[/\\][^/\\]*$/, "");
    const { success, stdout, stderr } = await new Deno.Command(
      Deno.execPath(),
      {
        args: [...args],
        cwd: path,
        env: { PATH: `${bin}:${Deno.env.get("PATH") ?? ""}`, NO_COLOR: "1" },
        stdout: "piped",
        stderr: "piped",
      },
    ).output();
    const decoder = new TextDecoder();
    const text = decoder.decode(stdout) + decoder.decode(stderr);
    return { path, end: { success, text } };
  }

  /** Starts deno in it; it is stopped, with all that it started, when disposed. */
  start(args: readonly string[], where = "", stdin = ""): Started {
    return new Started(args, `${this.path}/${where}`, stdin);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

/** A command that runs. */
export class Started implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #reader: ReadableStreamDefaultReader<string>;
  /** What it has written to its standard error, when it has ended. */
  readonly errors: Promise<string>;
  #text = "";

  constructor(args: readonly string[], cwd: string, stdin: string) {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: [...args],
      cwd,
      env: { NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.errors = new Response(this.#process.stderr).text();
    this.#reader = this.#process.stdout
      .pipeThrough(new TextDecoderStream()).getReader();
    ReadableStream.from([new TextEncoder().encode(stdin)])
      .pipeTo(this.#process.stdin).catch(() => {});
  }

  /** Waits until it has printed something. */
  async printed(what: string): Promise<void> {
    while (!this.#text.includes(what)) {
      const isThere = await this.#read();
      assert(isThere, `it ended without printing ${what}: ${this.#text}`);
    }
  }

  /** Waits until it has ended. */
  async ended(): Promise<{ readonly code: number; readonly text: string }> {
    while (await this.#read());
    const { code } = await this.#process.status;
    return { code, text: this.#text };
  }

  /** Asks it to end, as a terminal does, and waits until it has. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGINT");
    } catch {
      // it has ended
    }
    await this.#process.status;
    await this.errors;
    await this.#reader.cancel();
  }

  async #read(): Promise<boolean> {
    const { done, value } = await this.#reader.read();
    this.#text += value ?? "";
    return !done;
  }
}
