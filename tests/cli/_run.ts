import type { CliHost } from "../../cli/host.ts";
import { main } from "../../cli/main.ts";
import type { TemplateFactory } from "../../templates/mod.ts";

/** Paths of the guests that are kept with the examples. */
export const TEXT_STATS = guest("c/text_stats.wasm");
export const SLUGIFY = guest("rust/slugify.wasm");
export const PRIMES = guest("assemblyscript/primes.wasm");

function guest(path: string): string {
  return new URL(`../../examples/guests/${path}`, import.meta.url).href;
}

/** What the world holds. */
export interface World {
  /** The standard input; a module, where the file is `-`. */
  stdin?: string | Uint8Array<ArrayBuffer>;
  /** Files by path. */
  files?: Readonly<Record<string, string>>;
  /** Whether the standard output is a terminal. */
  isTerminal?: boolean;
  /** How many columns the terminal has. */
  columns?: number;
  /** What somebody types at the terminal; nobody is there, if left out. */
  typed?: readonly string[];
  /** Whether colours are wanted. */
  color?: boolean;
  /** The templates of `generate`. */
  templates?: TemplateFactory;
  /** Whether nobody reads the standard output of a program. */
  isClosed?: boolean;
  /** Told of each piece that goes to the standard error. */
  onStderr?: (text: string) => void;
  /** Asks to stop when it dispatches `stop`. */
  signals?: EventTarget;
}

/** What a run of the command line left behind. */
export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
  /** The standard output as it was written. */
  bytes: number[];
}

/** Runs the command line in a world of its own. */
export async function run(
  args: readonly string[],
  world: World = {},
): Promise<Outcome> {
  const { stdin = "", files = {}, isTerminal = false, isClosed = false } =
    world;
  const { columns, typed, color = false, templates } = world;
  const answers = [...typed ?? []];
  const { onStderr = () => {}, signals = new EventTarget() } = world;
  const out: number[] = [];
  let stderr = "";
  const host: CliHost = {
    stdout: (data) => {
      for (const byte of typeof data === "string" ? utf8(data) : data) {
        out.push(byte);
      }
      return Promise.resolve();
    },
    stderr: (text) => {
      stderr += text;
      onStderr(text);
      return Promise.resolve();
    },
    readStdin: () =>
      Promise.resolve(typeof stdin === "string" ? utf8(stdin) : stdin),
    readFile: (path) => {
      const text = files[path];
      return text === undefined
        ? Promise.reject(new Deno.errors.NotFound("os error 2"))
        : Promise.resolve(utf8(text));
    },
    streams: () => ({
      stdin: new Blob([typeof stdin === "string" ? utf8(stdin) : stdin])
        .stream(),
      stdout: new WritableStream({
        write: (chunk) => {
          if (isClosed) throw new Deno.errors.BrokenPipe("os error 32");
          for (const byte of chunk) out.push(byte);
        },
      }),
      stderr: new WritableStream({
        write: (chunk) => void (stderr += new TextDecoder().decode(chunk)),
      }),
    }),
    onStop: (listener) => {
      signals.addEventListener("stop", listener);
      return {
        [Symbol.dispose]: () => signals.removeEventListener("stop", listener),
      };
    },
    isTerminal: (stream) => isTerminal && (stream !== "stdin" || !!typed),
    columns: () => columns,
    readLine: () => Promise.resolve(answers.shift()),
    noColor: !color,
  };
  const code = await main(
    args,
    host,
    templates === undefined ? {} : { templates },
  );
  const stdout = new TextDecoder().decode(Uint8Array.from(out));
  return { code, stdout, stderr, bytes: out };
}

function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
