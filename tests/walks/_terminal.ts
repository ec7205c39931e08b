/** A terminal in an empty folder, whose commands come out of a document. */

import { assert } from "@std/assert";

/** What a machine that has nothing yet is given. */
export interface TerminalOptions {
  /** The folder that commands begin in; it holds the cache, too. */
  readonly folder: string;
  /** What a document's words stand for here: each is replaced by its value. */
  readonly words: Readonly<Record<string, string>>;
}

/** Runs what a document says, one line at a time. */
export class Terminal {
  readonly #options: TerminalOptions;
  #cwd: string;

  constructor(options: TerminalOptions) {
    this.#options = options;
    this.#cwd = options.folder;
  }

  /** A line as it is run: the document's, with what stands for its words. */
  line(text: string): string {
    return Object.entries(this.#options.words).reduce(
      (line, [word, value]) => line.replaceAll(word, value),
      text,
    );
  }

  /** Runs a line to its end, and gives what it printed; fails if that fails. */
  async run(text: string): Promise<string> {
    const [program, ...args] = words(this.line(text));
    if (program === "cd") {
      this.#cwd = `${this.#cwd}/${args[0]}`;
      return "";
    }
    const { success, stdout, stderr } = await this.#command(program, args)
      .output();
    const output = decode(stdout) + decode(stderr);
    assert(success, `${text}\n${output}`);
    return output;
  }

  /** Starts a line that goes on. */
  start(text: string): Deno.ChildProcess {
    const [program, ...args] = words(this.line(text));
    return this.#command(program, args).spawn();
  }

  #command(
    program: string | undefined,
    args: readonly string[],
  ): Deno.Command {
    assert(program === "deno", `a reader has no "${program}"`);
    const bin = Deno.execPath().replace(/[/\\][^/\\]*$/, "");
    const separator = Deno.build.os === "windows" ? ";" : ":";
    return new Deno.Command(Deno.execPath(), {
      args: [...args],
      cwd: this.#cwd,
      env: {
        DENO_DIR: `${this.#options.folder}/cache`,
        NO_COLOR: "1",
        PATH: `${bin}${separator}${Deno.env.get("PATH") ?? ""}`,
      },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
  }
}

/** The words of a line, with single quotes as a shell reads them. */
export function words(line: string): readonly string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)]
    .map(([, quoted, plain]) => quoted ?? plain ?? "");
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
