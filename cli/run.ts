/**
 * The command `run`: runs a module as a program.
 *
 * @module
 */

// deno-lint-ignore-file no-explicit-any -- `any` switches cliffy's inference off

import { Command, ValidationError } from "@cliffy/command";
import { quote } from "../_text.ts";
import type { ModuleExport, WasmResult } from "../runtime/types.ts";
import { findFunction, signatureText } from "./exports.ts";
import { SHARED_FLAGS, type SharedFlags, withLimits } from "./limits.ts";
import { numbersJson } from "./output.ts";
import { nameType } from "./positional.ts";
import type { Session } from "./session.ts";

/** The values of the flags of `run`. */
interface RunFlags extends SharedFlags {
  readonly export?: string;
}

/** What is called unless a name is given, the first that there is. */
const ENTRIES = ["_start", "_initialize", "main"] as const;

const FLAGS = [...SHARED_FLAGS, "--export"];

const DESCRIPTION = `Run a module as a program.

Makes an instance, which runs its start function, and then calls the export
_start, _initialize or main, the first that there is and takes no parameters.
Prints nothing of its own. Programs for WASI are not run by this version.`;

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
    .option("--export <name:string>", "Call this export.");
  return withLimits(command)
    .example("Run", "wasm-sandbox run program.wasm --timeout 10s --verbose")
    .action(async function (
      this: Command<any>,
      flags: RunFlags,
      file: string,
    ) {
      noArguments(this.getLiteralArgs());
      await run(session, flags, file);
    });
}

/**
 * Refuses arguments after `--`, where there is no guest to take them.
 *
 * @param args The arguments.
 * @throws {ValidationError} If there are any.
 */
export function noArguments(args: readonly string[]): void {
  if (args.length === 0) return;
  throw new ValidationError(
    `Too many arguments: ${args.join(" ")} (only call passes them on)`,
  );
}

async function run(
  session: Session,
  flags: RunFlags,
  file: string,
): Promise<void> {
  await session.withSandbox(file, flags, async (sandbox) => {
    const name = flags.export ?? entryOf(sandbox.exports);
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
  });
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
