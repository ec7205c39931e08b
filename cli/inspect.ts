/**
 * The command `inspect`: tells what a module is, and whether it is accepted.
 *
 * @module
 */

// deno-lint-ignore-file no-explicit-any -- `any` switches cliffy's inference off

import { Command } from "@cliffy/command";
import { readSource } from "../runtime/v8/source.ts";
import { examine } from "./examine.ts";
import { exitCodeOf } from "./exit_codes.ts";
import { inspectionJson, inspectionText } from "./inspect_text.ts";
import {
  settingsOf,
  SHARED_FLAGS,
  type SharedFlags,
  withLimits,
} from "./limits.ts";
import { nameType, noArguments } from "./positional.ts";
import type { Session } from "./session.ts";
import { roomOf, styleOf } from "./style.ts";

/** Longest module that is read, allowed or not: the most that can be allowed. */
const MAX_MODULE_BYTES = 2 ** 30;

const DESCRIPTION = `Tell what a module is, without running it.

Shows its imports, exports, memories and features, and whether it would be
accepted under the limits and features that the flags give. Ends with the exit
code that running it would begin with: 0 if it is accepted, and 2 if the engine
cannot provide what the flags ask for, 3 or 4 if it is refused.`;

/**
 * Makes the command `inspect`.
 *
 * @param session The run of the command line.
 * @returns The command.
 */
export function inspectCommand(session: Session): Command<any> {
  const command: Command<any> = new Command<any>()
    .description(DESCRIPTION)
    .type("name", nameType(SHARED_FLAGS))
    .arguments("<file:name>", [
      "Path or URL of the module, or - for the standard input.",
    ]);
  return withLimits(command)
    .example("A file", "wasm-sandbox inspect program.wasm")
    .example("Standard input", "wasm-sandbox inspect - --json < program.wasm")
    .action(async function (
      this: Command<any>,
      flags: SharedFlags,
      file: string,
    ) {
      noArguments(this.getLiteralArgs());
      await inspect(session, flags, file);
    });
}

async function inspect(
  session: Session,
  flags: SharedFlags,
  file: string,
): Promise<void> {
  const settings = settingsOf(flags);
  const maxBytes = MAX_MODULE_BYTES;
  const source = await session.moduleSource(file, {
    limits: { moduleBytes: maxBytes },
  });
  const bytes = await readSource(source, { maxBytes });
  const found = await examine(bytes, settings);
  const inspection = { ...found, source: file, abi: settings.abi };
  if (found.failure !== undefined) {
    session.exitCode = exitCodeOf(found.failure);
  }
  if (flags.json) return await session.printJson(inspectionJson(inspection));
  const { host } = session;
  const look = { style: styleOf(host), width: roomOf(host) };
  await host.stdout(inspectionText(inspection, look));
}
