/** Tools, resources and prompts, made of what options or guests say. */

import { unknownPlaces } from "./command.ts";
import {
  aboutOf,
  check,
  completeOf,
  handlerOf,
  MAX_DESCRIPTION,
  MAX_TITLE,
  resourceInfo,
  schemaOf,
  templateOf,
} from "./entry_parts.ts";
import type {
  EntryContext,
  PromptEntry,
  ResourceEntry,
  TemplateEntry,
  ToolEntry,
} from "./entry_types.ts";
import {
  argumentNameProblem,
  base64Problem,
  nameProblem,
  textProblem,
  uriProblem,
} from "./names.ts";
import type {
  McpCommand,
  McpPrompt,
  McpPromptArgument,
  McpResource,
  McpResourceTemplate,
  McpTool,
  McpToolInfo,
} from "./types.ts";

/** Most arguments of a prompt. */
const MAX_ARGUMENTS = 64;

/** What is left out of a tool. */
const NO_ARGUMENTS = { type: "object", additionalProperties: false };

type Spec<T, K extends keyof T> = Partial<Pick<T, K>>;

/** Makes a tool; undefined, if something is wrong. */
export async function toolEntry(
  name: string,
  spec: Spec<
    McpTool,
    | "title"
    | "description"
    | "inputSchema"
    | "outputSchema"
    | "annotations"
    | "handler"
    | "command"
  >,
  context: EntryContext,
): Promise<ToolEntry | undefined> {
  const { where, findings, guest } = context;
  check(findings, where, nameProblem(name));
  const about = aboutOf(spec, context);
  if (spec.annotations?.title !== undefined) {
    const problem = textProblem(spec.annotations.title, MAX_TITLE);
    check(findings, `${where}.annotations.title`, problem);
  }
  const { inputSchema = NO_ARGUMENTS, outputSchema, annotations } = spec;
  const input = await schemaOf(inputSchema, `${where}.inputSchema`, findings);
  const output = outputSchema === undefined
    ? undefined
    : await schemaOf(outputSchema, `${where}.outputSchema`, findings);
  const runs = spec.command ?? handlerOf(spec.handler, "handler", context);
  if (input === undefined || runs === undefined || guest === undefined) {
    return undefined;
  }
  checkCommand(spec.command, input.schema, context);
  return {
    info: {
      name,
      ...about,
      inputSchema: input.schema,
      ...(output !== undefined && { outputSchema: output.schema }),
      ...(annotations !== undefined && { annotations: { ...annotations } }),
    },
    checkInput: input.validate,
    checkOutput: output?.validate,
    guest,
    runs,
  };
}

/** A program must be a program, and know its arguments. */
function checkCommand(
  command: McpCommand | undefined,
  schema: McpToolInfo["inputSchema"],
  { where, findings, guest }: EntryContext,
): void {
  if (command === undefined) return;
  if (!guest?.exports.some(({ name }) => name === "_start")) {
    findings.add(
      `${where}.command`,
      "needs a module that exports _start, as a WASI program does",
    );
  }
  for (const name of unknownPlaces(command, schema)) {
    findings.add(
      `${where}.command`,
      `uses {${name}}, which is no property of inputSchema`,
    );
  }
}

/** Makes a resource; undefined, if something is wrong. */
export function resourceEntry(
  uri: string,
  spec: Spec<
    McpResource,
    "name" | "title" | "description" | "mimeType" | "handler" | "text" | "blob"
  >,
  context: EntryContext,
): ResourceEntry | undefined {
  const { where, findings, guest } = context;
  check(findings, where, uriProblem(uri));
  const info = resourceInfo(spec, context);
  const { text, blob, handler } = spec;
  const given = [text, blob, handler].filter((each) => each !== undefined);
  if (given.length !== 1) {
    findings.add(where, "needs one of text, blob and handler");
    return undefined;
  }
  if (text !== undefined) return { uri, info, source: { text } };
  if (blob !== undefined) {
    check(findings, `${where}.blob`, base64Problem(blob));
    return { uri, info, source: { blob } };
  }
  const name = handlerOf(handler, "handler", context);
  if (name === undefined || guest === undefined) return undefined;
  return { uri, info, source: { guest, handler: name } };
}

/** Makes a template of resources; undefined, if something is wrong. */
export function templateEntry(
  uriTemplate: string,
  spec: Spec<
    McpResourceTemplate,
    "name" | "title" | "description" | "mimeType" | "handler" | "complete"
  >,
  context: EntryContext,
): TemplateEntry | undefined {
  const { where, findings, guest } = context;
  const info = resourceInfo(spec, context);
  const template = templateOf(uriTemplate, where, findings);
  const handler = handlerOf(spec.handler, "handler", context);
  const complete = completeOf(spec.complete, context);
  if (
    template === undefined || handler === undefined || guest === undefined
  ) return undefined;
  return { template, uriTemplate, info, guest, handler, complete };
}

/** Makes a prompt; undefined, if something is wrong. */
export function promptEntry(
  name: string,
  spec: Spec<
    McpPrompt,
    "title" | "description" | "arguments" | "handler" | "complete"
  >,
  context: EntryContext,
): PromptEntry | undefined {
  const { where, findings, guest } = context;
  check(findings, where, nameProblem(name));
  const about = aboutOf(spec, context);
  const list = argumentsOf(spec.arguments ?? [], context);
  const handler = handlerOf(spec.handler, "handler", context);
  const complete = completeOf(spec.complete, context);
  if (handler === undefined || guest === undefined) return undefined;
  return {
    info: { name, ...about, ...(list.length > 0 && { arguments: list }) },
    guest,
    handler,
    complete,
  };
}

function argumentsOf(
  list: readonly McpPromptArgument[],
  { where, findings }: EntryContext,
): McpPromptArgument[] {
  if (list.length > MAX_ARGUMENTS) {
    findings.add(where, `has more than ${MAX_ARGUMENTS} arguments`);
  }
  const seen = new Set<string>();
  return list.slice(0, MAX_ARGUMENTS).map((each, index) => {
    const at = `${where}.arguments[${index}]`;
    const { name, description, required } = each;
    check(findings, `${at}.name`, argumentNameProblem(name));
    if (seen.has(name)) findings.add(`${at}.name`, "is there twice");
    seen.add(name);
    if (description !== undefined) {
      const problem = textProblem(description, MAX_DESCRIPTION);
      check(findings, `${at}.description`, problem);
    }
    return {
      name,
      ...(description !== undefined && { description }),
      ...(required !== undefined && { required }),
    };
  });
}
