/** How arguments of a call become those of a program. */

import { isObject, type JsonObject, own } from "./names.ts";
import type { McpCommand } from "./types.ts";
import type { CommandCall } from "./runner.ts";

/** An argument of the call, in the place of a text. */
const PLACE = /^\{([^{}]+)\}$/;

/**
 * What a program is run with.
 *
 * @param command What the options say.
 * @param input The arguments of the call.
 * @returns Its arguments, standard input, variables and files.
 */
export function commandOf(
  { args = [], stdin = "json", env, files = {} }: McpCommand,
  input: JsonObject,
): CommandCall {
  const given = Object.entries(files).flatMap(([path, text]) => {
    const content = filled(text, input);
    return content === undefined ? [] : [[path, content] as const];
  });
  return {
    args: args.flatMap((each) => filled(each, input) ?? []),
    stdin: stdinOf(stdin, input),
    ...(env !== undefined && { env }),
    ...(given.length > 0 && { files: Object.fromEntries(given) }),
  };
}

function stdinOf(stdin: string, input: JsonObject): string {
  if (stdin === "json") return JSON.stringify(input);
  return stdin === "none" ? "" : filled(stdin, input) ?? "";
}

function filled(text: string, input: JsonObject): string | undefined {
  const [, name] = PLACE.exec(text) ?? [];
  if (name === undefined) return text;
  const value = own(input, name);
  if (value === undefined || typeof value === "string") return value;
  return JSON.stringify(value);
}

/**
 * The arguments that a command names and its schema does not know.
 *
 * @param command What the options say.
 * @param schema Schema of the arguments.
 * @returns Their names.
 */
export function unknownPlaces(
  { args = [], stdin = "json", files = {} }: McpCommand,
  schema: JsonObject,
): readonly string[] {
  const properties = own(schema, "properties");
  const texts = [...args, stdin, ...Object.values(files)];
  return texts.flatMap((text) => PLACE.exec(text)?.[1] ?? [])
    .filter((name) =>
      !isObject(properties) || !Object.hasOwn(properties, name)
    );
}
