/**
 * The command `bench`: compares a call of the user's own module in different
 * places.
 *
 * @module
 */

// deno-lint-ignore-file no-explicit-any -- `any` switches cliffy's inference off

import { Command, ValidationError } from "@cliffy/command";
import { quote } from "../_text.ts";
import { parseDuration } from "../security/units.ts";
import type { BenchFlags } from "./bench/actions.ts";
import { SIDE_NAMES } from "./bench/side_names.ts";
import { choiceOf } from "./choices.ts";
import { SHARED_FLAGS, withLimits } from "./limits.ts";
import { inputType, nameType } from "./positional.ts";
import type { Session } from "./session.ts";

const DESCRIPTION = `Compare what a call costs in different places.

The same export of a module is called in V8 alone, in a sandbox in this process
by callSync and by call, in one in a process of its own, and in Wasmtime where
that is installed. It is called many times, the sides taking turns; the table has
medians, how many times as long each takes as the first, and how long it is from
the module's bytes to the first result.

Inputs are given as for call. It is called once within its limits before; V8
alone then has none, so do not bench what you would not run without a sandbox, or
leave that out by --skip raw. Ctrl-C ends it at any time.`;

const FLAGS = [
  ...SHARED_FLAGS,
  "--call",
  "--input",
  "--input-file",
  "--bytes",
  "--skip",
  "--time",
];

/** Longest time to measure, in milliseconds. */
const MAX_TIME_MS = 3_600_000;

/**
 * Makes the command `bench`.
 *
 * @param session The run of the command line.
 * @returns The command.
 */
export function benchCommand(session: Session): Command<any> {
  const command: Command<any> = new Command<any>()
    .description(DESCRIPTION)
    .type("name", nameType(FLAGS))
    .type("input", inputType(FLAGS))
    .type("side", choiceOf("--skip"))
    .type("duration", timeOf)
    .arguments("<file:name> [inputs...:input]", [
      "Path or URL of the module, or - for the standard input.",
      "Numbers, or - for a message from the standard input.",
    ])
    .option("--call <export:string>", "The export to call.")
    .option("--input <json:string>", "The message.")
    .option("--input-file <path:string>", "The file with the message, or -.")
    .option("--bytes", "Send and receive bytes and not JSON.")
    .option(
      "--skip <side:side>",
      `Leave out ${SIDE_NAMES.join(", ")}. Repeatable.`,
      { collect: true },
    )
    .option("--time <duration:duration>", "About how long to measure (5 s).");
  return withLimits(command)
    .example("Numbers", "wasm-sandbox bench math.wasm --call fib 30")
    .example(
      "A message",
      `wasm-sandbox bench text.wasm --call stats --input '{"text":"a b"}'`,
    )
    .example(
      "For a program to read",
      "wasm-sandbox bench math.wasm --call fib 30 --json --time 20s",
    )
    .action(async function (
      this: Command<any>,
      flags: BenchFlags,
      file: string,
      ...inputs: string[]
    ) {
      const { bench } = await import("./bench/actions.ts");
      const all = [...inputs, ...this.getLiteralArgs()];
      await bench(session, flags, file, all);
    });
}

function timeOf({ value }: { readonly value: string }): number {
  try {
    const ms = parseDuration(value);
    if (ms >= 1 && ms <= MAX_TIME_MS) return ms;
  } catch {
    // told below, as what is too long is
  }
  throw new ValidationError(
    `Option "--time": ${quote(value)} is no time from 1ms to 1h (write it ` +
      "like 500ms or 20s)",
  );
}
