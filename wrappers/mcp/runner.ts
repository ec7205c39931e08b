/** Runs guests for clients, and makes of what they reply what clients get. */

import { quote } from "../../_text.ts";
import type { ExecuteOptions, ExecuteResult } from "../../sandbox_options.ts";
import type { McpCall } from "./call.ts";
import { commandOf } from "./command.ts";
import { BadReply } from "./content.ts";
import type {
  PromptEntry,
  ResourceEntry,
  TemplateEntry,
  ToolEntry,
} from "./entry_types.ts";
import { failureText, isBusy } from "./failures.ts";
import type { McpGuest } from "./guest.ts";
import { isObject, type JsonObject, own } from "./names.ts";
import {
  type Completion,
  completion,
  isTooDeep,
  type PromptResult,
  promptResult,
  type ReadContents,
  resourceContents,
  type ToolResult,
  toolResult,
  valueResult,
} from "./replies.ts";
import type { McpErrorContext } from "./types.ts";

/** Longest output of a program that failed, in characters. */
const MAX_OUTPUT = 16_384;

/** Who asks, and how far that may go. */
export interface RunContext {
  readonly call: McpCall | undefined;
  readonly signal: AbortSignal;
  /** Told of what the client is not told of. */
  readonly onError: (error: unknown, about: McpErrorContext) => void;
}

/**
 * Calls a tool. What is the guest's fault, or that of the arguments, is a result
 * that says so; that there is too much to do is thrown.
 */
export async function callTool(
  tool: ToolEntry,
  input: JsonObject,
  context: RunContext,
): Promise<ToolResult> {
  const { name } = tool.info;
  const problem = isTooDeep(input) ? "nested too deep" : tool.checkInput(input);
  if (problem !== undefined) {
    return failed(`The arguments of ${name} are not valid: ${problem}`);
  }
  try {
    const result = typeof tool.runs === "string"
      ? await callHandler(tool, tool.runs, { input, context })
      : await runCommand(tool, { input, context });
    return result.isError ? result : checkedOutput(tool, result);
  } catch (error) {
    context.signal.throwIfAborted();
    context.onError(error, { operation: "tools/call", name });
    if (isBusy(error)) throw error;
    return failed(`The tool ${name} failed: ${failureText(error)}`);
  }
}

/** What a call of a tool is made of. */
interface ToolCall {
  readonly input: JsonObject;
  readonly context: RunContext;
}

async function callHandler(
  { guest, checkOutput }: ToolEntry,
  handler: string,
  { input, context }: ToolCall,
): Promise<ToolResult> {
  const reply = await ask(guest, handler, { input, ...context });
  return toolResult(reply, checkOutput !== undefined);
}

async function runCommand(
  { guest, runs, checkOutput }: ToolEntry,
  { input, context: { call, signal } }: ToolCall,
): Promise<ToolResult> {
  if (typeof runs === "string") throw new TypeError("unreachable: no command");
  const { args, ...options } = commandOf(runs, input);
  const result = await guest.use(
    (sandbox) => sandbox.execute(args, { ...options, signal }),
    { call, signal },
  );
  const stdout = textOf(result.stdout);
  if (result.exitCode !== 0) return failedProgram(result, stdout);
  return checkOutput === undefined
    ? { content: [{ type: "text", text: stdout }] }
    : valueResult(parsed(stdout), true);
}

/** Arguments and options of a run. */
export type CommandCall =
  & Pick<ExecuteOptions, "stdin" | "env" | "files">
  & { readonly args: readonly string[] };

function failedProgram(
  { exitCode, stderr }: ExecuteResult,
  stdout: string,
): ToolResult {
  const parts = [stdout, textOf(stderr)].filter((part) => part !== "");
  return failed([...parts, `exit code ${exitCode}`].join("\n"));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new BadReply("its output is not JSON");
  }
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function checkedOutput(tool: ToolEntry, result: ToolResult): ToolResult {
  const { checkOutput } = tool;
  if (checkOutput === undefined) return result;
  const problem = result.structuredContent === undefined
    ? "it has no structuredContent"
    : checkOutput(result.structuredContent);
  if (problem === undefined) return result;
  throw new BadReply(`outputSchema: ${problem}`);
}

function failed(text: string): ToolResult {
  const short = text.length > MAX_OUTPUT
    ? `${text.slice(0, MAX_OUTPUT)}…`
    : text;
  return {
    content: [{ type: "text", text: short.toWellFormed() }],
    isError: true,
  };
}

/** Thrown for a call that the protocol has an error for. */
export class Failed extends Error {}

/** Reads a resource. */
export async function readResource(
  { uri, info, source }: Pick<ResourceEntry, "uri" | "info" | "source">,
  context: RunContext,
  params: Readonly<Record<string, string>> = {},
): Promise<ReadContents> {
  const defaults = { uri, mimeType: info.mimeType };
  if (!("guest" in source)) return resourceContents(source, defaults);
  const { guest, handler } = source;
  const input = { uri, params };
  return await orFailed(
    async () =>
      resourceContents(
        await ask(guest, handler, { input, ...context }),
        defaults,
      ),
    {
      what: `The resource ${quote(uri)}`,
      name: uri,
      operation: "resources/read",
    },
    context,
  );
}

/** Makes a prompt. */
export async function getPrompt(
  { info, guest, handler }: PromptEntry,
  input: Readonly<Record<string, string>>,
  context: RunContext,
): Promise<PromptResult> {
  const { name, description } = info;
  const result = await orFailed(
    async () => promptResult(await ask(guest, handler, { input, ...context })),
    { what: `The prompt ${name}`, name, operation: "prompts/get" },
    context,
  );
  return {
    ...(description !== undefined && { description }),
    ...result,
  };
}

/** Completes an argument. */
export async function complete(
  { guest }: PromptEntry | TemplateEntry,
  handler: string,
  { input, name, context }: {
    readonly input: JsonObject;
    readonly name: string;
    readonly context: RunContext;
  },
): Promise<Completion> {
  return await orFailed(
    async () => completion(await ask(guest, handler, { input, ...context })),
    { what: `The completion of ${quote(name)}`, name, operation: "completion" },
    context,
  );
}

async function ask(
  guest: McpGuest,
  handler: string,
  { input, call, signal }: {
    readonly input: JsonObject;
    readonly call: McpCall | undefined;
    readonly signal: AbortSignal;
  },
): Promise<unknown> {
  return await guest.use(
    (sandbox) => sandbox.call(handler, input, { abi: "json", signal }),
    { call, signal },
  );
}

async function orFailed<T>(
  run: () => Promise<T>,
  { what, name, operation }: McpErrorContext & { readonly what: string },
  { signal, onError }: RunContext,
): Promise<T> {
  try {
    return await run();
  } catch (error) {
    signal.throwIfAborted();
    onError(error, { operation, ...(name !== undefined && { name }) });
    if (isBusy(error)) throw error;
    throw new Failed(`${what} failed: ${failureText(error)}`);
  }
}

/** The arguments of a call, as an object; there may be none. */
export function argumentsOf(params: unknown): JsonObject {
  const given = isObject(params) ? own(params, "arguments") : undefined;
  return isObject(given) ? given : {};
}
