/**
 * What guests reply: made anew out of what the protocol knows, so that nothing
 * else gets through.
 */

import {
  BadReply,
  checkKnown,
  type Content,
  contentOf,
  contentsOf,
  listOf,
  objectOf,
  plainText,
  type ResourceDefaults,
  wellFormed,
} from "./content.ts";
import { isObject, type JsonObject, own } from "./names.ts";

/** How deep a value may be nested. */
const MAX_DEPTH = 128;

/** Most values that complete an argument: as many as the protocol takes. */
const MAX_COMPLETIONS = 100;

/** A result of a tool, as the protocol has it. */
export interface ToolResult {
  readonly content: Content[];
  readonly isError?: boolean;
  readonly structuredContent?: Record<string, unknown>;
  readonly [name: string]: unknown;
}

/** Makes a result of what a tool's guest replied. */
export function toolResult(reply: unknown, isStructured: boolean): ToolResult {
  checkDepth(reply);
  if (!isObject(reply) || !Array.isArray(own(reply, "content"))) {
    return valueResult(reply, isStructured);
  }
  const isError = own(reply, "isError");
  if (isError !== undefined && typeof isError !== "boolean") {
    throw new BadReply("isError is neither true nor false");
  }
  const structured = own(reply, "structuredContent");
  if (structured !== undefined && !isObject(structured)) {
    throw new BadReply("structuredContent is no object");
  }
  checkKnown(reply, ["content", "isError", "structuredContent"], "the result");
  return {
    content: listOf(own(reply, "content"), "content", contentOf),
    ...(isError !== undefined && { isError }),
    ...(structured !== undefined && {
      structuredContent: structured as Record<string, unknown>,
    }),
  };
}

/** A value as text, and as it is, if the tool has a schema for it. */
export function valueResult(value: unknown, isStructured: boolean): ToolResult {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const content = [{ type: "text", text: wellFormed(text ?? "null") }];
  if (!isStructured) return { content };
  if (!isObject(value)) throw new BadReply("it is no object");
  return { content, structuredContent: value as Record<string, unknown> };
}

/** Contents of a resource, as the protocol has them. */
export interface ReadContents {
  readonly contents: ({ readonly uri: string } & JsonObject)[];
  readonly [name: string]: unknown;
}

/** Makes contents of what a resource's guest replied. */
export function resourceContents(
  reply: unknown,
  defaults: ResourceDefaults,
): ReadContents {
  checkDepth(reply);
  const list = isObject(reply) && Object.hasOwn(reply, "contents")
    ? own(reply, "contents")
    : [typeof reply === "string" ? { text: reply } : reply];
  return {
    contents: listOf(
      list,
      "contents",
      (each, where) => contentsOf(each, where, defaults),
    ),
  };
}

/** A prompt, as the protocol has it. */
export interface PromptResult {
  readonly messages: {
    readonly role: "user" | "assistant";
    readonly content: Content;
  }[];
  readonly description?: string;
  readonly [name: string]: unknown;
}

/** Makes a prompt of what its guest replied. */
export function promptResult(reply: unknown): PromptResult {
  checkDepth(reply);
  if (typeof reply === "string") {
    const content = { type: "text", text: wellFormed(reply) };
    return { messages: [{ role: "user", content }] };
  }
  const table = objectOf(reply, "the reply");
  checkKnown(table, ["messages", "description"], "the reply");
  const description = own(table, "description");
  return {
    messages: listOf(own(table, "messages"), "messages", messageOf),
    ...(description !== undefined && {
      description: plainText(description, "description"),
    }),
  };
}

/** Values that complete an argument. */
export interface Completion {
  readonly values: string[];
  readonly total?: number;
  readonly hasMore: boolean;
}

/** Makes a completion of what a guest replied. */
export function completion(reply: unknown): Completion {
  checkDepth(reply);
  const values = isObject(reply) ? own(reply, "values") : reply;
  if (!Array.isArray(values)) throw new BadReply("it is no list of texts");
  const hasMore = isObject(reply) && own(reply, "hasMore") === true;
  return {
    values: values.slice(0, MAX_COMPLETIONS).map((value, index) =>
      plainText(value, `values[${index}]`)
    ),
    ...(values.length > MAX_COMPLETIONS && { total: values.length }),
    hasMore: hasMore || values.length > MAX_COMPLETIONS,
  };
}

/** How deep a value is nested: whoever writes it down goes as deep. */
export function isTooDeep(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; depth <= MAX_DEPTH; depth++) {
    level = level.flatMap((each) =>
      typeof each === "object" && each !== null ? Object.values(each) : []
    );
    if (level.length === 0) return false;
  }
  return true;
}

function checkDepth(reply: unknown): void {
  if (isTooDeep(reply)) throw new BadReply("it is nested too deep");
}

function messageOf(
  message: unknown,
  where: string,
): PromptResult["messages"][number] {
  const table = objectOf(message, where);
  checkKnown(table, ["role", "content"], where);
  const role = own(table, "role");
  if (role !== "user" && role !== "assistant") {
    throw new BadReply(`${where}.role is neither user nor assistant`);
  }
  const content = own(table, "content");
  return {
    role,
    content: typeof content === "string"
      ? { type: "text", text: wellFormed(content) }
      : contentOf(content, `${where}.content`),
  };
}
