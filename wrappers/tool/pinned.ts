/** A module that is the one that was meant. */

import { quote } from "../../_text.ts";
import { SandboxError } from "../../errors.ts";
import type { OperationOptions } from "../../runtime/types.ts";
import { readSource } from "../../runtime/v8/source.ts";
import { resolveLimits } from "../../security/limits.ts";
import { sha256 } from "../sha256.ts";
import type { CliToolOptions } from "./types.ts";

/**
 * Reads a module whose hash is pinned. What is hashed are the bytes that run.
 *
 * @param options The options of a tool.
 * @param operation Cancellation.
 * @returns The module's bytes, or nothing if any module will do.
 * @throws {SandboxError} With code `module-refused` if it is another one, or if it
 * cannot be read.
 */
export async function pinnedModule(
  { module, sha256: pinned, limits = {} }: CliToolOptions,
  { signal }: OperationOptions,
): Promise<{ readonly module?: Uint8Array<ArrayBuffer> }> {
  if (pinned === undefined) return {};
  const { moduleBytes: maxBytes } = resolveLimits(limits);
  const bytes = await readSource(module, { maxBytes, signal });
  const found = await sha256(bytes);
  if (found === pinned.toLowerCase()) return { module: bytes };
  const reason = "hash mismatch";
  throw new SandboxError(
    "module-refused",
    `Cannot create cli_tool: its module has the SHA-256 ${quote(found)}, and ` +
      `${quote(pinned)} is pinned (get the right module, or pin this one)`,
    { details: { reason } },
  );
}
