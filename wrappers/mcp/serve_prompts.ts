/** Answers what a client asks of prompts, and of completion. */

import type { Server } from "@modelcontextprotocol/sdk/server";
import { quote } from "../../_text.ts";
import type { Calls, SessionParts } from "./calls.ts";
import type { PromptEntry, TemplateEntry } from "./entry_types.ts";
import { type JsonObject, own } from "./names.ts";
import { pageFor } from "./page.ts";
import { invalid } from "./protocol_error.ts";
import { argumentsOf, complete, getPrompt } from "./runner.ts";

/** Answers what is asked of prompts. */
export function servePrompts(
  server: Server,
  { sdk: { types }, catalog, settings }: SessionParts,
  calls: Calls,
): void {
  const { pageSize } = settings.options;
  server.setRequestHandler(types.ListPromptsRequestSchema, ({ params }) => {
    const { items, ...rest } = pageFor(catalog.prompts, params, pageSize);
    return { prompts: items.map(({ info }) => info), ...rest };
  });
  server.setRequestHandler(
    types.GetPromptRequestSchema,
    async ({ params }, extra) => {
      const prompt = catalog.prompts.get(params.name);
      if (prompt === undefined) {
        throw invalid(`Unknown prompt: ${quote(params.name)}`);
      }
      const input = promptArguments(prompt, argumentsOf(params));
      // as the replies are checked; the SDK's type is narrower than its text
      return await calls.run(
        prompt.guest,
        extra,
        (context) => getPrompt(prompt, input, context),
      ) as never;
    },
  );
}

function promptArguments(
  { info }: PromptEntry,
  given: JsonObject,
): Readonly<Record<string, string>> {
  const known = info.arguments ?? [];
  const other = Object.keys(given)
    .find((name) => !known.some((each) => each.name === name));
  if (other !== undefined) {
    throw invalid(`Unknown argument of ${info.name}: ${quote(other)}`);
  }
  const values = known.flatMap(({ name, required }) => {
    const value = own(given, name);
    if (typeof value === "string") return [[name, value] as const];
    if (required) {
      throw invalid(`Missing argument of ${info.name}: ${quote(name)}`);
    }
    return [];
  });
  return Object.fromEntries(values);
}

/** Completes the arguments of prompts, and the variables of templates. */
export function serveCompletion(
  server: Server,
  { sdk: { types }, catalog }: SessionParts,
  calls: Calls,
): void {
  server.setRequestHandler(
    types.CompleteRequestSchema,
    async ({ params: { ref, argument, context } }, extra) => {
      const key = ref.type === "ref/prompt" ? ref.name : ref.uri;
      const entry = ref.type === "ref/prompt"
        ? catalog.prompts.get(key)
        : catalog.templates.get(key);
      if (entry === undefined) {
        throw invalid(`Nothing to complete: ${quote(key)}`);
      }
      const handler = completer(entry, argument.name);
      if (handler === undefined) return { completion: { values: [] } };
      const input = { argument, arguments: context?.arguments ?? {} };
      const completion = await calls.run(
        entry.guest,
        extra,
        (context) =>
          complete(entry, handler, { input, name: argument.name, context }),
      );
      return { completion: { ...completion } };
    },
  );
}

function completer(
  entry: PromptEntry | TemplateEntry,
  argument: string,
): string | undefined {
  const isKnown = "template" in entry
    ? entry.template.variables.includes(argument)
    : entry.info.arguments?.some(({ name }) => name === argument);
  if (isKnown) return entry.complete;
  throw invalid(`Unknown argument: ${quote(argument)}`);
}
