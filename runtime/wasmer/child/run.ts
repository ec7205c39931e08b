/**
 * One run of a program.
 *
 * @module
 */

import { ByteCollector } from "../../../_streams.ts";
import { printable, quote } from "../../../_text.ts";
import { SandboxError } from "../../../errors.ts";
import type { LimitName } from "../../../security/limits.ts";
import { memoryBytesOf } from "../../process/grants.ts";
import { FRAME, OUTPUT_BYTES } from "../../process/frames.ts";
import type { SentUsage } from "../../process/messages.ts";
import { ProgramLists } from "../../wasi/program.ts";
import { isInWorkspace } from "../files.ts";
import { WORKSPACE } from "../wasi_imports.ts";
import type { Guest } from "./guest.ts";
import { notTaken } from "./refusal.ts";
import type { AsyncPipe } from "./pipe.ts";
import type { WasmerProcess, WasmerSandbox } from "./sdk.ts";
import { ThreadFailure } from "./threads.ts";

/** What a program is run with. */
export interface RunParts {
  /** The arguments, the program's name first. */
  readonly args: readonly string[];
  /** Variables. */
  readonly env: Readonly<Record<string, string>>;
  /** Files by path; one that ends in `/` is a directory. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Functions by which a program comes to what it is run with. */
const ARGUMENTS = ["args_get", "args_sizes_get"] as const;
const VARIABLES = ["environ_get", "environ_sizes_get"] as const;
const READERS = ["fd_read", "fd_pread"] as const;
const WRITERS = ["fd_write", "fd_pwrite"] as const;

/** One run of a program. */
export class ProgramRun {
  readonly #guest: Guest;
  readonly #pipe: AsyncPipe;
  readonly #used = {
    memoryBytes: 0,
    stdinBytes: 0,
    stdoutBytes: 0,
    stderrBytes: 0,
  };
  #sandbox: WasmerSandbox | undefined;
  #given = 0;

  /**
   * Constructs it.
   *
   * @param guest What to run.
   * @param pipe The way to the host.
   */
  constructor(guest: Guest, pipe: AsyncPipe) {
    this.#guest = guest;
    this.#pipe = pipe;
  }

  /** What was used of limits, by name. */
  usage(): SentUsage {
    return { ...this.#used };
  }

  /**
   * Runs the program to its end.
   *
   * @param parts What it is run with.
   * @returns Its exit code.
   * @throws {SandboxError} If it traps, or more is read or written than may be.
   */
  async run({ args, env, files }: RunParts): Promise<number> {
    const guest = this.#guest;
    const [name = "guest", ...rest] = args;
    const given = this.#mayUse("process", "arguments", ARGUMENTS) ? rest : [];
    const stdin = await this.#stdin();
    const command = await guest.command(name);
    const sandbox = await guest.wasmer.sandboxes.create({
      packages: [command],
      env: this.#environment(env),
      files: {},
    });
    this.#sandbox = sandbox;
    await this.#putFiles(sandbox, files);
    const output = (action: "stdout" | "stderr") =>
      this.#mayUse("stdio", action, WRITERS) ? "pipe" : "discard";
    guest.threads.begin();
    const process = await sandbox.command(command, given, this.#place).spawn({
      stdin: stdin.length > 0 ? "pipe" : "closed",
      stdout: output("stdout"),
      stderr: output("stderr"),
    });
    await Promise.all([
      feed(process, stdin),
      this.#pass(process.stdout, 1, "stdoutBytes"),
      this.#pass(process.stderr, 2, "stderrBytes"),
    ]);
    return await this.#end(process);
  }

  /**
   * The files that the program leaves behind.
   *
   * @returns Their bytes by path; none, if no mount is granted.
   * @throws {SandboxError} If they are more than the mount may hold.
   */
  async files(): Promise<ReadonlyMap<string, Uint8Array>> {
    const { capabilities, limits } = this.#guest;
    const files = new Map<string, Uint8Array>();
    const sandbox = this.#sandbox;
    if (sandbox === undefined || !this.#hasFiles) return files;
    const maxBytes = memoryBytesOf(capabilities);
    const maxEntries = limits.fileEntries + this.#given;
    let bytes = 0;
    const folders = [WORKSPACE];
    let entries = 0;
    for (const folder of folders) {
      for (const { name, kind, size } of await sandbox.fs.readDir(folder)) {
        const path = `${folder}/${name}`;
        if (++entries > maxEntries) throw overLimit("fileEntries", maxEntries);
        if (!isInWorkspace(path)) throw notHandedBack(name);
        if (kind === "directory") {
          folders.push(path);
          continue;
        }
        bytes += size;
        if (bytes > maxBytes) throw tooManyBytes(maxBytes);
        const content = await readFile(sandbox, path);
        if (content === undefined) continue;
        // threads may write on
        bytes += content.length - size;
        if (bytes > maxBytes) throw tooManyBytes(maxBytes);
        files.set(path, content);
      }
    }
    return files;
  }

  /** Where the program works: among the files that are handed back. */
  get #place(): { readonly cwd?: string } {
    return this.#hasFiles ? { cwd: WORKSPACE } : {};
  }

  get #hasFiles(): boolean {
    return this.#guest.capabilities.some(({ type }) => type === "filesystem");
  }

  /** Asks, and records it, if the module can use it at all. */
  #mayUse(
    capability: string,
    action: string,
    functions: readonly string[],
  ): boolean {
    const { auditor, module } = this.#guest;
    const used = module.imports.find(({ name }) => functions.includes(name));
    if (used === undefined) return false;
    const { name: via } = used;
    return auditor.permits({ capability, action, resource: "", via });
  }

  #environment(given: RunParts["env"]): Record<string, string> {
    if (!this.#mayUse("environment", "read", VARIABLES)) return {};
    const lists = new ProgramLists(this.#guest.capabilities);
    lists.set({ args: [], env: given });
    const decoder = new TextDecoder();
    return Object.fromEntries(lists.env.map((bytes) => {
      const text = decoder.decode(bytes.subarray(0, -1));
      const at = text.indexOf("=");
      return [text.slice(0, at), text.slice(at + 1)];
    }));
  }

  /** All of the standard input, before anything runs: it may not wait then. */
  async #stdin(): Promise<Uint8Array> {
    const { limits } = this.#guest;
    const bytes = new ByteCollector();
    if (!this.#mayUse("stdio", "stdin", READERS)) return bytes.take();
    for (;;) {
      const question = { what: "stdin", maxBytes: OUTPUT_BYTES };
      const { answer, body } = await this.#pipe.ask(question);
      if (answer.end === true) return bytes.take();
      this.#count("stdinBytes", limits.stdinBytes, body.length);
      bytes.write(body);
    }
  }

  async #putFiles(
    { fs }: WasmerSandbox,
    files: RunParts["files"],
  ): Promise<void> {
    this.#given = files.size;
    for (const [path, bytes] of files) {
      const folder = path.slice(0, path.lastIndexOf("/"));
      if (folder !== WORKSPACE) await fs.mkdir(folder, { recursive: true });
      if (!path.endsWith("/")) await fs.writeFile(path, bytes);
    }
  }

  async #end(process: WasmerProcess): Promise<number> {
    try {
      await process.wait();
      const { exitCode = 0, memoryBytes } = await this.#guest.threads.end();
      this.#used.memoryBytes = memoryBytes;
      return exitCode;
    } catch (error) {
      throw failureOf(error);
    }
  }

  /** Passes output on, as the host has room for it. */
  async #pass(
    stream: WasmerProcess["stdout"],
    fd: 1 | 2,
    name: "stdoutBytes" | "stderrBytes",
  ): Promise<void> {
    const allowed = this.#guest.limits[name];
    for await (const bytes of untilItBreaks(stream)) {
      this.#count(name, allowed, bytes.length);
      for (let at = 0; at < bytes.length; at += OUTPUT_BYTES) {
        const piece = bytes.subarray(at, at + OUTPUT_BYTES);
        await this.#pipe.sendPaced(FRAME.output, { fd }, piece);
      }
    }
  }

  #count(
    name: "stdinBytes" | "stdoutBytes" | "stderrBytes",
    allowed: number,
    bytes: number,
  ): void {
    this.#used[name] += bytes;
    if (this.#used[name] > allowed) throw overLimit(name, allowed);
  }
}

/** What a stream gives; how a program ended that breaks it is told elsewhere. */
async function* untilItBreaks(
  stream: WasmerProcess["stdout"],
): AsyncIterable<Uint8Array> {
  if (stream === null) return;
  const iterator = stream[Symbol.asyncIterator]();
  for (;;) {
    const next = await iterator.next().catch(() => undefined);
    if (next === undefined || next.done === true) return;
    yield next.value;
  }
}

/** Writes the standard input; a program that has ended reads no more of it. */
async function feed({ stdin }: WasmerProcess, bytes: Uint8Array) {
  if (stdin === null) return;
  try {
    await stdin.write(bytes);
    await stdin.close();
  } catch {
    // its end is told elsewhere
  }
}

/** A link to nothing is no file. */
async function readFile(
  { fs }: WasmerSandbox,
  path: string,
): Promise<Uint8Array | undefined> {
  return await fs.readFile(path).catch(() => undefined);
}

/** Such as "command execution failed: RuntimeError: js: unreachable". */
const TRAP = /(?:RuntimeError|RangeError): (?:js: )?([^\n]*)/;
/** What stands there for an exception. */
const EXCEPTION = "[object WebAssembly.Exception]";
/** What stands there if the stack is exhausted, and how long it is. */
const OVERFLOW = "Maximum call stack size exceeded";
const STACK_BYTES = 984 * 1024;

/** Why a program did not end by itself; the engine's texts say no more. */
function failureOf(error: unknown): unknown {
  const text = error instanceof Error ? error.message : String(error);
  const reason = TRAP.exec(text)?.[1];
  if (reason === undefined) {
    return error instanceof ThreadFailure ? notTaken(text) : error;
  }
  if (reason === OVERFLOW) {
    return overLimit("stack", STACK_BYTES, "let the guest recurse less deep");
  }
  const isThrown = reason === EXCEPTION;
  const how = isThrown
    ? "threw an exception that it did not catch"
    : `trapped: ${printable(reason)}`;
  return new SandboxError(
    "trap",
    `Cannot complete "_start": the guest ${how}`,
    {
      details: { export: "_start", kind: isThrown ? "exception" : "trap" },
    },
  );
}

function overLimit(
  limit: LimitName | "stack",
  allowed: number,
  suggestion: string = `raise ${limit}, or let the guest use less`,
): SandboxError<"limit-exceeded"> {
  return new SandboxError(
    "limit-exceeded",
    `Cannot complete "_start": ${limit} of ${allowed} is used up ` +
      `(${suggestion})`,
    { details: { limit, allowed, suggestion } },
  );
}

function notHandedBack(name: string): SandboxError<"guest-protocol"> {
  const problem = "a file of a name that is too long, or no name elsewhere";
  return new SandboxError(
    "guest-protocol",
    `Cannot take the files of ${quote(WORKSPACE)}: there is ${problem}: ` +
      quote(name),
    { details: { export: "_start", problem } },
  );
}

function tooManyBytes(allowed: number): SandboxError<"limit-exceeded"> {
  const suggestion = "raise maxBytes of the mount, or let the guest write less";
  return new SandboxError(
    "limit-exceeded",
    `Cannot take the files of ${quote(WORKSPACE)}: they hold more than ` +
      `maxBytes of ${allowed} (${suggestion})`,
    { details: { limit: "maxBytes", allowed, suggestion } },
  );
}
