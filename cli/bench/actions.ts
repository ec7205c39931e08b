/** What the command `bench` does. Apart from it, so that others load faster. */

import { ValidationError } from "@cliffy/command";
import { quote } from "../../_text.ts";
import { V8Runtime } from "../../runtime/mod.ts";
import type { Module } from "../../runtime/types.ts";
import { readSource } from "../../runtime/v8/source.ts";
import { resolveLimits } from "../../security/limits.ts";
import { abiOf, findFunction, type FunctionExport } from "../exports.ts";
import { grantsOf } from "../guest_flags.ts";
import { parseNumbers } from "../inputs.ts";
import { type Settings, settingsOf, type SharedFlags } from "../limits.ts";
import { type MessageFlags, parseMessage, readMessage } from "../messages.ts";
import { ProgressLine } from "../progress.ts";
import type { Session } from "../session.ts";
import { roomOf, styleOf } from "../style.ts";
import { measure } from "./compare.ts";
import type { BenchInput } from "./raw.ts";
import type { SideName } from "./side_names.ts";
import type { Subject } from "./sides.ts";
import { benchText } from "./text.ts";

/** The flags of `bench`. */
export interface BenchFlags extends SharedFlags, MessageFlags {
  /** `--call`. */
  readonly call?: string;
  /** `--bytes`. */
  readonly bytes?: boolean;
  /** `--skip`, each time it was given. */
  readonly skip?: readonly SideName[];
  /** `--time`: about how long to measure, in milliseconds. */
  readonly time?: number;
}

/** About how long to measure, unless a flag says, in milliseconds. */
const USUAL_MS = 5_000;

/**
 * Compares a call in different places.
 *
 * @param session The run of the command line.
 * @param flags What to call, and how.
 * @param file Path or URL of the module.
 * @param inputs What the function takes, if that is numbers.
 */
export async function bench(
  session: Session,
  flags: BenchFlags,
  file: string,
  inputs: readonly string[],
): Promise<void> {
  const { host } = session;
  const settings = settingsOf(flags);
  const source = await session.moduleSource(file, settings);
  const { moduleBytes } = resolveLimits(settings.limits);
  const bytes = await readSource(source, { maxBytes: moduleBytes });
  const module = await compile(bytes, settings);
  const found = exportOf(module, flags.call);
  const { policy } = await grantsOf({});
  const subject: Subject = {
    bytes,
    name: found.name,
    input: await inputOf(session, flags, module, found, inputs),
    settings,
    policy,
    hasImports: module.imports.length > 0,
  };
  const line = new ProgressLine(host, { isShown: !flags.json });
  // no signal is taken over: nothing else ends a guest that V8 alone runs
  try {
    const figures = await measure(subject, {
      skip: flags.skip ?? [],
      timeMs: flags.time ?? USUAL_MS,
      onProgress: (progress) => line.show(progress),
    });
    await line.clear();
    const whole = { module: file, export: found.name, ...figures };
    if (flags.json) {
      const result = JSON.parse(whole.result);
      return await session.printJson({ ...whole, result });
    }
    await host.stdout(benchText(whole, styleOf(host), roomOf(host)));
  } finally {
    await line.clear();
  }
}

async function compile(
  bytes: Uint8Array<ArrayBuffer>,
  { limits, features }: Settings,
): Promise<Module> {
  await using runtime = new V8Runtime();
  return await runtime.compile(bytes, { limits, features });
}

function exportOf(
  { exports }: Module,
  name: string | undefined,
): FunctionExport {
  const names = exports.filter(({ signature }) => signature !== undefined)
    .map((each) => each.name);
  const found = name === undefined ? undefined : findFunction(exports, name);
  if (found !== undefined) return found;
  const known = names.slice(0, 10).map(quote).join(", ") || "none";
  throw new ValidationError(
    name === undefined
      ? `Cannot bench: --call names the export (there are: ${known})`
      : `Cannot bench ${quote(name)}: there is no such function (there are: ` +
        `${known})`,
  );
}

async function inputOf(
  { host }: Session,
  flags: BenchFlags,
  { exports }: Module,
  { name, signature }: FunctionExport,
  inputs: readonly string[],
): Promise<BenchInput> {
  const settings = settingsOf(flags);
  if (abiOf(exports, signature, settings.abi) === "raw") {
    if (flags.input ?? flags.inputFile ?? flags.bytes) {
      throw new ValidationError(
        `Cannot send ${quote(name)} a message: it takes numbers`,
      );
    }
    const args = parseNumbers(name, signature, inputs);
    return { kind: "numbers", args };
  }
  const maxBytes = resolveLimits(settings.limits).messageBytes;
  const message = await readMessage(host, flags, { name, inputs, maxBytes });
  return flags.bytes
    ? { kind: "bytes", bytes: message ?? new Uint8Array() }
    : { kind: "json", value: parseMessage(message) };
}
