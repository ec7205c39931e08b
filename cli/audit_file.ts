/**
 * `--audit`: writes what was decided to a file.
 *
 * @module
 */

import { ValidationError } from "@cliffy/command";
import { printable, reasonOf } from "../_text.ts";
import { AuditFile } from "../security/audit/file.ts";
import type { AuditSink } from "../security/types.ts";
import type { Session } from "./session.ts";

/** Inline, nothing is written before the program ends. */
const MAX_PENDING = 65_536;

/**
 * Runs something whose decisions are written to a file, whether or not it goes
 * well.
 *
 * @param session The run of the command line.
 * @param path Where they go; undefined, if nowhere.
 * @param use What to run.
 * @throws {ValidationError} If the file cannot be written.
 */
export async function withAudit(
  { host }: Session,
  path: string | undefined,
  use: (sink?: AuditSink) => Promise<void>,
): Promise<void> {
  if (path === undefined) return await use();
  const file = await open(path);
  try {
    await use(file);
  } finally {
    await file.close();
    const { dropped } = file.counters;
    if (dropped > 0) {
      await host.stderr(`note: ${printable(path)} lacks ${dropped} events\n`);
    }
  }
}

async function open(path: string): Promise<AuditFile> {
  try {
    return await AuditFile.create(path, { maxPendingEvents: MAX_PENDING });
  } catch (cause) {
    throw new ValidationError(`Option "--audit": ${reasonOf(cause)}`, {
      cause,
    });
  }
}
