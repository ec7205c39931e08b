/** Pieces of content, made anew out of what the protocol knows of them. */

import { quote } from "../../_text.ts";
import {
  base64Problem,
  isObject,
  type JsonObject,
  mimeTypeProblem,
  own,
  textProblem,
  uriProblem,
} from "./names.ts";

/** Most pieces of content, messages or contents. */
const MAX_PIECES = 256;

/** Longest name or title within content, in characters. */
const MAX_TITLE = 1_024;

/** A reply that is not what it must be. */
export class BadReply extends Error {}

/** A piece of content, as the protocol has it. */
export type Content = { readonly type: string } & JsonObject;

/** What a resource is, if its reply says nothing else. */
export interface ResourceDefaults {
  readonly uri: string;
  readonly mimeType: string | undefined;
}

/** Makes a piece of content. */
export function contentOf(piece: unknown, where: string): Content {
  const table = objectOf(piece, where);
  const type = own(table, "type");
  const annotations = annotationsOf(own(table, "annotations"), where);
  switch (type) {
    case "text":
      checkKnown(table, ["type", "text", "annotations"], where);
      return {
        type,
        text: textOf(own(table, "text"), `${where}.text`),
        ...annotations,
      };
    case "image":
    case "audio":
      checkKnown(table, ["type", "data", "mimeType", "annotations"], where);
      return {
        type,
        data: base64Of(own(table, "data"), `${where}.data`),
        mimeType: mimeTypeOf(own(table, "mimeType"), where),
        ...annotations,
      };
    case "resource":
      checkKnown(table, ["type", "resource", "annotations"], where);
      return {
        type,
        resource: contentsOf(own(table, "resource"), `${where}.resource`),
        ...annotations,
      };
    case "resource_link":
      return { ...linkOf(table, where), ...annotations };
    default:
      throw new BadReply(
        `${where}.type is ${quote(String(type))}, expected text, image, ` +
          "audio, resource or resource_link",
      );
  }
}

const LINK = [
  "type",
  "uri",
  "name",
  "title",
  "description",
  "mimeType",
  "annotations",
];

function linkOf(table: JsonObject, where: string): Content {
  checkKnown(table, LINK, where);
  const { title, description, mimeType } = table;
  return {
    type: "resource_link",
    uri: uriOf(own(table, "uri"), where),
    name: plainText(own(table, "name"), `${where}.name`),
    ...(title !== undefined && { title: plainText(title, `${where}.title`) }),
    ...(description !== undefined && {
      description: plainText(description, `${where}.description`),
    }),
    ...(mimeType !== undefined && { mimeType: mimeTypeOf(mimeType, where) }),
  };
}

/** Makes the contents of a resource. */
export function contentsOf(
  piece: unknown,
  where: string,
  defaults?: ResourceDefaults,
): { readonly uri: string } & JsonObject {
  const table = objectOf(piece, where);
  checkKnown(table, ["uri", "mimeType", "text", "blob"], where);
  const text = own(table, "text");
  const blob = own(table, "blob");
  if ((text === undefined) === (blob === undefined)) {
    throw new BadReply(`${where} has not one of text and blob`);
  }
  const mimeType = own(table, "mimeType") ?? defaults?.mimeType;
  return {
    uri: uriOf(own(table, "uri") ?? defaults?.uri, where),
    ...(mimeType !== undefined && { mimeType: mimeTypeOf(mimeType, where) }),
    ...(blob === undefined
      ? { text: textOf(text, `${where}.text`) }
      : { blob: base64Of(blob, `${where}.blob`) }),
  };
}

function annotationsOf(
  given: unknown,
  where: string,
): { readonly annotations?: JsonObject } {
  if (given === undefined) return {};
  const at = `${where}.annotations`;
  const table = objectOf(given, at);
  checkKnown(table, ["audience", "priority", "lastModified"], at);
  const audience = own(table, "audience");
  const priority = own(table, "priority");
  const modified = own(table, "lastModified");
  if (audience !== undefined && !isAudience(audience)) {
    throw new BadReply(`${at}.audience is no list of user and assistant`);
  }
  if (
    priority !== undefined &&
    !(typeof priority === "number" && priority >= 0 && priority <= 1)
  ) throw new BadReply(`${at}.priority is no number from 0 to 1`);
  if (modified !== undefined && !isTime(modified)) {
    throw new BadReply(`${at}.lastModified is no time`);
  }
  return {
    annotations: {
      ...(audience !== undefined && { audience }),
      ...(priority !== undefined && { priority }),
      ...(modified !== undefined && { lastModified: modified }),
    },
  };
}

function isAudience(value: unknown): boolean {
  return Array.isArray(value) && value.length <= 2 &&
    value.every((each) => each === "user" || each === "assistant");
}

function isTime(value: unknown): boolean {
  return typeof value === "string" &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/.test(
      value,
    );
}

/** Reads a list, of no more pieces than a reply may have. */
export function listOf<T>(
  list: unknown,
  where: string,
  read: (each: unknown, where: string) => T,
): T[] {
  if (!Array.isArray(list)) throw new BadReply(`${where} is no list`);
  if (list.length > MAX_PIECES) {
    throw new BadReply(`${where} has more than ${MAX_PIECES} pieces`);
  }
  return list.map((each, index) => read(each, `${where}[${index}]`));
}

/** Sees that a value is an object. */
export function objectOf(value: unknown, where: string): JsonObject {
  if (isObject(value)) return value;
  throw new BadReply(`${where} is no object`);
}

/** Refuses members that the protocol does not know. */
export function checkKnown(
  table: JsonObject,
  known: readonly string[],
  where: string,
): void {
  const other = Object.keys(table).find((name) => !known.includes(name));
  if (other === undefined) return;
  throw new BadReply(`${where} has ${quote(other)}, which is not known`);
}

function textOf(value: unknown, where: string): string {
  if (typeof value === "string") return wellFormed(value);
  throw new BadReply(`${where} is no text`);
}

/** A text without halves of pairs, which have no UTF-8. */
export function wellFormed(text: string): string {
  return text.toWellFormed();
}

/** Reads a short text that people are to see. */
export function plainText(value: unknown, where: string): string {
  const problem = textProblem(value, MAX_TITLE);
  if (problem !== undefined) throw new BadReply(`${where} ${problem}`);
  return value as string;
}

function base64Of(value: unknown, where: string): string {
  const problem = base64Problem(value);
  if (problem !== undefined) throw new BadReply(`${where} ${problem}`);
  return value as string;
}

function mimeTypeOf(value: unknown, where: string): string {
  const problem = mimeTypeProblem(value);
  if (problem !== undefined) {
    throw new BadReply(`${where}.mimeType ${problem}`);
  }
  return value as string;
}

function uriOf(value: unknown, where: string): string {
  const problem = uriProblem(value);
  if (problem !== undefined) throw new BadReply(`${where}.uri ${problem}`);
  return value as string;
}
