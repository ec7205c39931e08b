/**
 * Runs one test of a WASI suite on Wasmer, as the suite's driver asks for it:
 * takes the path of a job, uses its own standard streams as the guest's, and
 * ends with the guest's exit code, 134 for a trap.
 *
 * Wasmer has one directory whose files can be put in and taken out, its working
 * directory. It takes the place of the one that a test is given: an argument
 * that names that one names this one, and names within it are as they were.
 *
 * @module
 */

import {
  Capabilities,
  type Capability,
  Sandbox,
  SandboxError,
  SecurityPolicy,
} from "../../mod.ts";
import { WasmerRuntime } from "../../runtime/wasmer/mod.ts";

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
const WORKSPACE = "/workspace";

/** Runs a job; gives the exit code. */
async function run(path: string): Promise<number> {
  const job: Job = JSON.parse(await Deno.readTextFile(path));
  const { wasm, env, timeoutSeconds, preopens } = job;
  const [name = "guest", ...args] = job.args;
  if (preopens.length > 1) throw new Error("there is room for one directory");
  await using runtime = await WasmerRuntime.open();
  await using sandbox = await Sandbox.create({
    module: wasm,
    runtime,
    policy: SecurityPolicy.from([
      Capabilities.clock({ mode: "real" }),
      Capabilities.random(),
      Capabilities.process(),
      Capabilities.stdio(),
      Capabilities.environment({ variables: env }),
      ...filesystem(job),
    ]),
    limits: { timeoutMs: timeoutSeconds * 1000, functionBytes: 2 ** 20 },
  });
  try {
    const { exitCode } = await sandbox.execute(
      args.map((arg) =>
        preopens.some(({ guest }) => guest === arg) ? "." : arg
      ),
      {
        name,
        files: await filesOf(job),
        stdin: Deno.stdin.readable,
        stdout: Deno.stdout.writable,
        stderr: Deno.stderr.writable,
      },
    );
    return exitCode;
  } catch (error) {
    if (SandboxError.is(error, "trap")) return TRAPPED;
    throw error;
  }
}

function filesystem({ preopens }: Job): Capability[] {
  if (preopens.length === 0) return [];
  const mount = {
    guest: WORKSPACE,
    memory: true,
    symlinks: "within",
  } as const;
  return [Capabilities.filesystem({ mounts: [mount] })];
}

/** All files below the directory; directories end in a slash. */
async function filesOf({ preopens }: Job): Promise<Record<string, Uint8Array>> {
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
  for (const { host } of preopens) await walk(host, WORKSPACE);
  return files;
}

const [job = ""] = Deno.args;
Deno.exit(await run(job));
