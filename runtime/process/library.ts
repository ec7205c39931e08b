/**
 * Looks after a library before a process is started for it.
 *
 * @module
 */

import { quote } from "../../_text.ts";
import { SandboxError } from "../../errors.ts";
import { libraryOf, type ProcessEngine } from "./engine.ts";

/**
 * Throws if the library of an engine is gone: a process that is to have it
 * could not even start. What may not be looked at is left to the process.
 *
 * @param engine The engine.
 * @throws {SandboxError} With code `runtime-unavailable`.
 */
export async function requireLibrary(engine: ProcessEngine): Promise<void> {
  const path = libraryOf(engine);
  if (path === undefined) return;
  const { state } = await Deno.permissions.query({ name: "read", path });
  if (state !== "granted") return;
  try {
    if ((await Deno.stat(path)).isFile) return;
  } catch {
    // the same for who asked: it cannot be opened
  }
  throw missing(engine.name, path);
}

function missing(
  runtime: string,
  path: string,
): SandboxError<"runtime-unavailable"> {
  const reason = `there is no library ${quote(path)}`;
  const suggestion = "install it again";
  return new SandboxError(
    "runtime-unavailable",
    `Cannot use the runtime "${runtime}": ${reason} (${suggestion})`,
    { details: { runtime, reason, suggestion } },
  );
}
