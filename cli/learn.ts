/**
 * `audit --learn`: runs a program, and writes the least policy that it needed.
 *
 * @module
 */

import { dirname } from "node:path";
import { printable } from "../_text.ts";
import type { SandboxOptions } from "../sandbox_options.ts";
import { AuditRecorder } from "../security/audit/recorder.ts";
import { type LearnedPolicy, learnPolicy } from "../security/audit/learn.ts";
import { SecurityPolicy } from "../security/policy.ts";
import type { Operation } from "../security/types.ts";
import { guestExitCode } from "./exit_codes.ts";
import { cannotWrite } from "./file_errors.ts";
import { grantsOf, type GuestFlags } from "./guest_flags.ts";
import { settingsOf, type SharedFlags } from "./limits.ts";
import type { Session } from "./session.ts";

/** The values of the flags that learning has. */
export interface LearnFlags extends SharedFlags, GuestFlags {
  /** `--learn`: where the policy goes. */
  readonly learn: string;
  /** `--whole-mounts`. */
  readonly wholeMounts?: true;
}

/** What to run. */
export interface Program {
  /** Path or URL of the module. */
  readonly file: string;
  /** Its arguments. */
  readonly args: readonly string[];
}

/**
 * Runs a WASI program under what the flags grant, and writes a policy file
 * that grants what it used of that.
 *
 * @param session The run of the command line.
 * @param flags What is granted, and where the policy goes.
 * @param program What to run.
 * @throws {SandboxError} If the guest does not come to its end: then no policy
 * is written.
 */
export async function learn(
  session: Session,
  flags: LearnFlags,
  program: Program,
): Promise<void> {
  await checkPlace(flags.learn);
  const granted = await grantsOf(flags);
  const recorder = new AuditRecorder();
  await session.withSandbox(program.file, flags, async (sandbox) => {
    const { exitCode } = await sandbox.execute(
      program.args,
      session.host.streams(),
    );
    session.exitCode = guestExitCode(exitCode);
  }, { ...granted, audit: recorder });
  const learned = learnPolicy(recorder, granted.policy, {
    wholeMounts: flags.wholeMounts ?? false,
    also: neededBy(program),
  });
  const limits = { ...granted.limits, ...settingsOf(flags).limits };
  await writePolicy(flags.learn, learned, { ...granted, limits });
  await tell(session, flags, learned);
}

/** What running with arguments takes, whether or not the guest looks at them. */
function neededBy({ args }: Program): readonly Operation[] {
  if (args.length === 0) return [];
  return [{ capability: "process", action: "arguments", resource: "" }];
}

async function writePolicy(
  path: string,
  { capabilities, notes }: LearnedPolicy,
  { limits, isolation }: Pick<SandboxOptions, "limits" | "isolation">,
): Promise<void> {
  // reaches a parser of YAML, which most commands do not need
  const { stringifyPolicy } = await import("../security/policy_file/mod.ts");
  const isJson = /\.json$/i.test(path);
  const document = {
    policy: SecurityPolicy.from(capabilities),
    limits: limits ?? {},
    ...(isolation === undefined ? {} : { isolation }),
  };
  const text = stringifyPolicy(document, isJson ? "json" : "yaml");
  const comments = isJson
    ? ""
    : notes.map((note) => `# ${printable(note)}\n`).join("");
  try {
    await Deno.writeTextFile(path, comments + text, { createNew: true });
  } catch (cause) {
    throw cannotWrite(path, cause);
  }
}

/** Finds out before the program runs, which may take long. */
async function checkPlace(path: string): Promise<void> {
  try {
    if (await isThere(path)) throw new Deno.errors.AlreadyExists();
    if (!await isThere(dirname(path))) throw new Deno.errors.NotFound();
  } catch (cause) {
    throw cannotWrite(path, cause);
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function tell(
  { host, exitCode }: Session,
  { learn: path }: LearnFlags,
  { notes }: LearnedPolicy,
): Promise<void> {
  const lines = notes.map((note) => `note: ${printable(note)}\n`);
  if (exitCode !== 0) {
    lines.push(
      `note: The program ended with exit code ${exitCode}: it may need more.\n`,
    );
  }
  await host.stderr(`${lines.join("")}policy: ${printable(path)}\n`);
}
