/**
 * The command `run`: runs a module as a program.
 *
 * @module
 */

// deno-lint-ignore-file no-explicit-any -- `any` switches cliffy's inference off

import { Command, ValidationError } from "@cliffy/command";
import { quote } from "../_text.ts";
import type { ModuleExport, WasmResult } from "../runtime/types.ts";
import type { Sandbox } from "../sandbox.ts";
import { withAudit } from "./audit_file.ts";
import { CLOSED_PIPE, guestExitCode } from "./exit_codes.ts";
import { findFunction, signatureText } from "./exports.ts";
import {
  grantsOf,
  GUEST_FLAGS,
  type GuestFlags,
  withGrants,
} from "./guest_flags.ts";
import { SHARED_FLAGS, type SharedFlags, withLimits } from "./limits.ts";
import { numbersJson, outputJson } from "./output.ts";
import { nameType, noArguments } from "./positional.ts";
import type { Session } from "./session.ts";

/** The values of the flags of `run`. */
interface RunFlags extends SharedFlags, GuestFlags {
  readonly export?: string;
  readonly audit?: string;
}

/** What is called unless a name is given, the first that there is. */
const ENTRIES = ["_start", "_initialize", "main"] as const;

const FLAGS = [...SHARED_FLAGS, ...GUEST_FLAGS, "--export", "--audit"];

const DESCRIPTION = `Run a module as a program.

A WASI program, which exports _start, gets the arguments after --, the standard
streams, a coarse clock and random bytes, and ends with its own exit code. Files
and variables are granted by --dir and --env. With --policy only the file and
the flags grant. A program with a directory of the host runs in a process of its
own. Others read their input to its end before, and their output is seen after
it, unless --isolation is process. On a terminal control characters of the output
are shown escaped; "| cat" passes them on.

Of other modules the export _initialize or main is called, the first that there
is and takes no parameters.`;

/**
 * Makes the command `run`.
 *
 * @param session The run of the command line.
 * @returns The command.
 */
export function runCommand(session: Session): Command<any> {
  const command: Command<any> = new Command<any>()
    .description(DESCRIPTION)
    .type("name", nameType(FLAGS))
    .arguments("<file:name>", [
      "Path or URL of the module, or - for the standard input.",
    ])
    .option("--export <name:string>", "Call this export.")
    .option("--audit <file:string>", "Append each decision to this file.");
  return withGrants(withLimits(command))
    .example("Run", "wasm-sandbox run program.wasm --timeout 10s -- --help")
    .example(
      "Grant a directory",
      "wasm-sandbox run report.wasm --dir /logs::./logs:ro --dir /out::./out",
    )
    .example(
      "Grant by a file",
      "wasm-sandbox run report.wasm --policy report.yaml -- /logs",
    )
    .example(
      "Record",
      "wasm-sandbox run program.wasm --audit audit.jsonl",
    )
    .action(async function (
      this: Command<any>,
      flags: RunFlags,
      file: string,
    ) {
      await run(session, flags, { file, args: this.getLiteralArgs() });
    });
}

/** What to run. */
interface Program {
  readonly file: string;
  readonly args: readonly string[];
}

async function run(
  session: Session,
  flags: RunFlags,
  { file, args }: Program,
): Promise<void> {
  const granted = await grantsOf(flags);
  await withAudit(session, flags.audit, async (audit) => {
    const grants = audit === undefined ? granted : { ...granted, audit };
    await session.withSandbox(
      file,
      flags,
      (sandbox) => runIn(sandbox, session, flags, args),
      grants,
    );
  });
}

async function runIn(
  sandbox: Sandbox,
  session: Session,
  flags: RunFlags,
  args: readonly string[],
): Promise<void> {
  const name = flags.export ?? entryOf(sandbox.exports);
  if (name === "_start") {
    return await execute(session, sandbox, { args, json: flags.json });
  }
  noArguments(args);
  if (name !== undefined) checkEntry(sandbox.exports, name);
  const result = name === undefined
    ? undefined
    : await sandbox.call<WasmResult>(name, [], { abi: "raw" });
  if (flags.verbose) {
    const called = name === undefined ? "nothing" : quote(name);
    await session.host.stderr(`called: ${called}\n`);
  }
  if (flags.json) {
    const usage = session.usage(sandbox);
    const json = numbersJson(result);
    await session.printJson({ export: name ?? null, result: json, usage });
  }
}

/** Runs a WASI program with the standard streams of the command line. */
async function execute(
  session: Session,
  sandbox: Sandbox,
  { args, json }: { args: readonly string[]; json: true | undefined },
): Promise<void> {
  const { stdin, ...outputs } = session.host.streams();
  try {
    const { exitCode, stdout, stderr } = await sandbox.execute(args, {
      stdin,
      ...(json ? {} : outputs),
    });
    session.exitCode = guestExitCode(exitCode);
    if (!json) return;
    await session.printJson({
      export: "_start",
      exitCode,
      stdout: outputJson(stdout),
      stderr: outputJson(stderr),
      usage: session.usage(sandbox),
    });
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    session.exitCode = CLOSED_PIPE;
  }
}

function entryOf(exports: readonly ModuleExport[]): string | undefined {
  return ENTRIES.find((name) =>
    findFunction(exports, name)?.signature.params.length === 0
  );
}

/** Throws if a function takes parameters; one that is missing comes later. */
function checkEntry(exports: readonly ModuleExport[], name: string): void {
  const { signature } = findFunction(exports, name) ?? {};
  if (signature === undefined || signature.params.length === 0) return;
  throw new ValidationError(
    `Cannot run ${quote(name)}: it takes parameters, ${
      signatureText(signature)
    } (use call)`,
  );
}
