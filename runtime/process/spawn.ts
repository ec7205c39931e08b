/**
 * Starts processes.
 *
 * @module
 */

import { quote } from "../../_text.ts";
import { SandboxError } from "../../errors.ts";
import type { Launch } from "./launch.ts";

/**
 * Checks that this program may start processes, without asking anybody.
 *
 * @param command What is to be started.
 * @param isCompiled Whether this program is by `deno compile`, and no `deno`.
 * @throws {SandboxError} With code `process-failed`, if it may not.
 */
export async function requireRun(
  command: string,
  isCompiled: boolean = Deno.build.standalone,
): Promise<void> {
  // it would start itself, and each of its kind another one
  if (isCompiled) throw notDeno(command);
  const { state } = await Deno.permissions.query({ name: "run", command });
  if (state !== "granted") throw notAllowed(command);
}

/**
 * Starts a process whose three streams are pipes.
 *
 * @param launch What to start.
 * @returns The process.
 * @throws {SandboxError} With code `process-failed`.
 */
export function spawn({ command, args, env }: Launch): Deno.ChildProcess {
  try {
    return new Deno.Command(command, {
      args: [...args],
      clearEnv: true,
      env: { ...env },
      // where the host works is not for a guest to know
      ...(Deno.build.os === "windows" ? {} : { cwd: "/" }),
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (cause) {
    if (cause instanceof Deno.errors.NotCapable) throw notAllowed(command);
    throw notStarted(cause);
  }
}

function notDeno(command: string): SandboxError<"process-failed"> {
  const suggestion =
    'run it by deno, without compiling, or choose isolation "inline"';
  return new SandboxError(
    "process-failed",
    `Cannot start the guest's process: ${quote(command)} is a compiled ` +
      `program and no deno (${suggestion})`,
    { details: { phase: "start", suggestion } },
  );
}

function notAllowed(command: string): SandboxError<"process-failed"> {
  const suggestion =
    `pass --allow-run=${command}, or choose isolation "inline"`;
  return new SandboxError(
    "process-failed",
    "Cannot start the guest's process: this program may not run deno " +
      `(${suggestion})`,
    { details: { phase: "start", suggestion } },
  );
}

function notStarted(cause: unknown): SandboxError<"process-failed"> {
  const suggestion = "see that the machine has room for more processes";
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new SandboxError(
    "process-failed",
    `Cannot start the guest's process: ${reason} (${suggestion})`,
    { cause, details: { phase: "start", suggestion } },
  );
}
