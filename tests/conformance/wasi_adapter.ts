/**
 * Runs one test of a WASI suite, as the suite's driver asks for it: takes the
 * path of a job, uses its own standard streams as the guest's, and ends with
 * the guest's exit code, 134 for a trap. With `--memory` the guest runs inline,
 * on a copy of its directories in memory; without, in a process of its own. With
 * `--runtime NAME` another runtime than V8's runs it.
 *
 * @module
 */

import { parseArgs } from "node:util";
import {
  Capabilities,
  type Capability,
  type HostMount,
  Sandbox,
  SandboxError,
  SecurityPolicy,
} from "../../mod.ts";

interface Job {
  readonly wasm: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly preopens: readonly {
    readonly guest: string;
    readonly host: string;
    readonly readOnly: boolean;
  }[];
  readonly timeoutSeconds: number;
}

const TRAPPED = 134;

/** How a job is run. */
interface Place {
  readonly inMemory: boolean;
  /** Name of the runtime. */
  readonly runtime: string;
}

/** Runs a job; gives the exit code. */
async function run(
  path: string,
  { inMemory, runtime }: Place,
): Promise<number> {
  const job: Job = JSON.parse(await Deno.readTextFile(path));
  const { wasm, env, timeoutSeconds } = job;
  const [name = "guest", ...args] = job.args;
  const files = inMemory ? await copyOf(job.preopens) : {};
  await using sandbox = await Sandbox.create({
    module: wasm,
    runtime,
    isolation: inMemory ? "inline" : "process",
    policy: SecurityPolicy.from([
      Capabilities.clock({ mode: "real" }),
      Capabilities.random(),
      Capabilities.process(),
      Capabilities.stdio(),
      Capabilities.environment({ variables: env }),
      ...filesystem(job, inMemory),
    ]),
    limits: { timeoutMs: timeoutSeconds * 1000, functionBytes: 2 ** 20 },
  });
  try {
    const { exitCode } = await sandbox.execute(args, {
      name,
      files,
      stdin: Deno.stdin.readable,
      stdout: Deno.stdout.writable,
      stderr: Deno.stderr.writable,
    });
    return exitCode;
  } catch (error) {
    if (SandboxError.is(error, "trap")) return TRAPPED;
    throw error;
  }
}

function filesystem({ preopens }: Job, inMemory: boolean): Capability[] {
  if (preopens.length === 0) return [];
  const mounts = preopens.map(({ guest, host, readOnly }): HostMount => ({
    guest,
    host,
    access: readOnly ? "read" : "read-write",
    symlinks: "within",
  }));
  return [
    Capabilities.filesystem({
      mounts: inMemory
        ? mounts.map(({ host: _, ...mount }) => ({ ...mount, memory: true }))
        : mounts,
    }),
  ];
}

/** All files below directories of the host; directories end in a slash. */
async function copyOf(
  preopens: Job["preopens"],
): Promise<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = {};
  async function walk(host: string, guest: string): Promise<void> {
    for await (const { name, isDirectory } of Deno.readDir(host)) {
      const [from, to] = [`${host}/${name}`, `${guest}/${name}`];
      if (isDirectory) {
        files[`${to}/`] = new Uint8Array();
        await walk(from, to);
      } else files[to] = await Deno.readFile(from);
    }
  }
  for (const { host, guest } of preopens) {
    await walk(host, guest === "/" ? "" : guest);
  }
  return files;
}

const { positionals: [job = ""], values } = parseArgs({
  args: Deno.args,
  allowPositionals: true,
  options: {
    memory: { type: "boolean", default: false },
    runtime: { type: "string", default: "v8" },
  },
});
const { memory, runtime } = values;
Deno.exit(await run(job, { inMemory: memory, runtime }));
