/**
 * The command `call`: calls one exported function.
 *
 * @module
 */

// deno-lint-ignore-file no-explicit-any -- `any` switches cliffy's inference off

import { Command, ValidationError } from "@cliffy/command";
import { quote } from "../_text.ts";
import type { WasmResult } from "../runtime/types.ts";
import type { Sandbox } from "../sandbox.ts";
import { abiOf, findFunction, type FunctionExport } from "./exports.ts";
import {
  grantsOf,
  GUEST_FLAGS,
  type GuestFlags,
  withGrants,
} from "./guest_flags.ts";
import { parseNumbers } from "./inputs.ts";
import {
  settingsOf,
  SHARED_FLAGS,
  type SharedFlags,
  withLimits,
} from "./limits.ts";
import { type MessageFlags, parseMessage, readMessage } from "./messages.ts";
import { jsonText, numbersJson, numbersText, printBytes } from "./output.ts";
import { inputType, nameType } from "./positional.ts";
import { type Session, STDIN } from "./session.ts";

/** The values of the flags of `call`. */
interface CallFlags extends SharedFlags, GuestFlags, MessageFlags {
  readonly bytes?: true;
}

/** What to call. */
interface Target {
  readonly file: string;
  readonly name: string;
  readonly inputs: readonly string[];
}

/** A result: what is printed, and what goes into JSON. */
interface Outcome {
  readonly text: string | Uint8Array;
  readonly json: unknown;
}

const FLAGS = [
  ...SHARED_FLAGS,
  ...GUEST_FLAGS,
  "--input",
  "--input-file",
  "--bytes",
];

const DESCRIPTION = `Call one exported function.

An export of numbers takes one input for each parameter: 42, -1, 0xff, 1.5,
nan, inf. Negative numbers may also stand after --. The results are printed on
one line; --json writes 64-bit integers, nan, inf and -0 as strings.

An export of messages, of type (i32, i32) -> i64 in a module that exports
wasm_sandbox_alloc, takes JSON from --input, --input-file or, for -, from the
standard input; null, if none is given. With --bytes it takes and gives bytes,
which --json writes as base64, and a terminal shows escaped.

A module that imports WASI is granted what the flags say, as run does; what it
writes to the standard streams is dropped.`;

/**
 * Makes the command `call`.
 *
 * @param session The run of the command line.
 * @returns The command.
 */
export function callCommand(session: Session): Command<any> {
  const command: Command<any> = new Command<any>()
    .description(DESCRIPTION)
    .type("name", nameType(FLAGS))
    .type("input", inputType(FLAGS))
    .arguments("<file:name> <export:name> [inputs...:input]", [
      "Path or URL of the module, or - for the standard input.",
      "Name of the function.",
      "Numbers, or - for a message from the standard input.",
    ])
    .option("--input <json:string>", "The message.")
    .option("--input-file <path:string>", "The file with the message, or -.")
    .option("--bytes", "Send and receive bytes and not JSON.");
  return withGrants(withLimits(command))
    .example("Numbers", "wasm-sandbox call math.wasm add 2 3")
    .example(
      "JSON",
      `wasm-sandbox call text.wasm stats --input '{"text":"a b"}'`,
    )
    .example(
      "Limits",
      "wasm-sandbox call work.wasm run --timeout 2s --memory 8MiB",
    )
    .example(
      "Grant a directory",
      "wasm-sandbox call ledger.wasm save --dir /data::./data",
    )
    .action(async function (
      this: Command<any>,
      flags: CallFlags,
      file: string,
      name: string,
      ...inputs: string[]
    ) {
      const target = {
        file,
        name,
        inputs: [...inputs, ...this.getLiteralArgs()],
      };
      await call(session, flags, target);
    });
}

async function call(
  session: Session,
  flags: CallFlags,
  target: Target,
): Promise<void> {
  const { file, name, inputs } = target;
  if (file === STDIN && [flags.inputFile, ...inputs].includes(STDIN)) {
    throw new ValidationError(
      "Cannot read both the module and the input from the standard input",
    );
  }
  const granted = await grantsOf(flags);
  await session.withSandbox(file, flags, async (sandbox) => {
    const { exports } = sandbox;
    const found = findFunction(exports, name);
    // this throws, and says what there is
    if (found === undefined) return await sandbox.call(name, []);
    const { abi } = settingsOf(flags);
    const outcome = abiOf(exports, found.signature, abi) === "raw"
      ? await callNumbers(sandbox, found, flags, inputs)
      : await callMessage(session, sandbox, flags, target);
    const { text, json } = outcome;
    if (flags.json) {
      const usage = session.usage(sandbox);
      await session.printJson({ result: json, usage });
    } else if (typeof text !== "string") await printBytes(session.host, text);
    else if (text !== "") await session.host.stdout(`${text}\n`);
  }, granted);
}

async function callNumbers(
  sandbox: Sandbox,
  { name, signature }: FunctionExport,
  { input, inputFile, bytes, alloc }: CallFlags,
  inputs: readonly string[],
): Promise<Outcome> {
  const message = input ?? inputFile ?? bytes;
  if (message !== undefined) {
    throw new ValidationError(
      `Cannot send ${quote(name)} a message: it takes numbers (a function ` +
        "that takes messages is of type (i32, i32) -> i64, in a module that " +
        `exports ${quote(alloc ?? "wasm_sandbox_alloc")}, which --alloc names)`,
    );
  }
  const args = parseNumbers(name, signature, inputs);
  const result = await sandbox.call<WasmResult>(name, args, { abi: "raw" });
  return { text: numbersText(result), json: numbersJson(result) };
}

async function callMessage(
  { host }: Session,
  sandbox: Sandbox,
  flags: CallFlags,
  { name, inputs }: Target,
): Promise<Outcome> {
  const maxBytes = sandbox.limits.messageBytes;
  const message = await readMessage(host, flags, { name, inputs, maxBytes });
  if (flags.bytes) {
    const input = message ?? new Uint8Array();
    const text = await sandbox.call<Uint8Array>(name, input, { abi: "bytes" });
    return { text, json: { base64: text.toBase64() } };
  }
  const json = await sandbox.call(name, parseMessage(message), { abi: "json" });
  return { text: jsonText(json), json };
}
