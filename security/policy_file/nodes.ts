/** What a policy file says, with the place of everything in the text. */

import { isPlainObject } from "../_parse.ts";

/** Deepest nesting of a policy file. */
export const MAX_DEPTH = 32;

/** A piece of a policy file. */
export type PolicyNode = MapNode | ListNode | ScalarNode;

/** Names with values. */
export interface MapNode {
  readonly kind: "map";
  /** Where it begins, in UTF-16 units from the start of the text. */
  readonly offset: number;
  readonly entries: ReadonlyMap<string, MapEntry>;
}

/** One name with its value. */
export interface MapEntry {
  /** Where the name begins. */
  readonly offset: number;
  readonly node: PolicyNode;
}

/** Values one after the other. */
export interface ListNode {
  readonly kind: "list";
  readonly offset: number;
  readonly items: readonly PolicyNode[];
}

/** A value without parts. */
export interface ScalarNode {
  readonly kind: "scalar";
  readonly offset: number;
  readonly value: string | number | boolean | null;
  /** How it is written, if it is without quotes. */
  readonly plain?: string;
  /** What it is, if it comes from code and is nothing that a file can hold. */
  readonly foreign?: string;
}

/** What a node says, as plain data. */
export function dataOf(node: PolicyNode): unknown {
  switch (node.kind) {
    case "scalar":
      return node.value;
    case "list":
      return node.items.map(dataOf);
    case "map": {
      const entries = [...node.entries];
      return Object.fromEntries(
        entries.map(([name, entry]) => [name, dataOf(entry.node)]),
      );
    }
  }
}

/** Turns a value of the caller's around: as if it had been read from a file. */
export function nodeOf(value: unknown): PolicyNode {
  const offset = 0;
  if (value === null) return { kind: "scalar", offset, value };
  switch (typeof value) {
    case "string":
      return { kind: "scalar", offset, value };
    case "number":
    case "boolean":
      return { kind: "scalar", offset, value, plain: String(value) };
  }
  if (Array.isArray(value)) {
    return { kind: "list", offset, items: value.map(nodeOf) };
  }
  if (!isPlainObject(value)) {
    const { name = "" } = Object(value).constructor ?? {};
    const foreign = typeof value === "object"
      ? `an object of ${name || "no class"}`
      : `of type ${typeof value}`;
    return { kind: "scalar", offset, value: null, foreign };
  }
  const entries = Object.entries(value).filter(([, part]) => part !== undefined)
    .map(([name, part]) => [name, { offset, node: nodeOf(part) }] as const);
  return { kind: "map", offset, entries: new Map(entries) };
}

/** Finds the node of a path such as `["mounts", 0, "guest"]`, if there is one. */
export function nodeAt(
  node: PolicyNode,
  path: readonly (string | number)[],
): PolicyNode | undefined {
  let found: PolicyNode | undefined = node;
  for (const step of path) {
    if (found?.kind === "map") found = found.entries.get(String(step))?.node;
    else if (found?.kind === "list") found = found.items[Number(step)];
    else return undefined;
  }
  return found;
}

/**
 * The first node that another reader of the same text understands otherwise,
 * with what it made of it; undefined, if both agree.
 */
export function disagreement(
  node: PolicyNode,
  other: unknown,
): { readonly node: PolicyNode; readonly other: unknown } | undefined {
  if (node.kind === "scalar") {
    return node.value === other ? undefined : { node, other };
  }
  if (node.kind === "list") {
    if (!Array.isArray(other) || other.length !== node.items.length) {
      return { node, other };
    }
    return first(node.items, (item, index) => disagreement(item, other[index]));
  }
  if (typeof other !== "object" || other === null || Array.isArray(other)) {
    return { node, other };
  }
  const values = new Map(Object.entries(other));
  if (values.size !== node.entries.size) return { node, other };
  return first(
    [...node.entries],
    ([name, { offset, node: value }]) =>
      values.has(name)
        ? disagreement(value, values.get(name))
        // the name itself was understood otherwise
        : { node: { kind: "scalar", offset, value: name }, other: undefined },
  );
}

function first<T, R>(
  items: readonly T[],
  find: (item: T, index: number) => R | undefined,
): R | undefined {
  for (const [index, item] of items.entries()) {
    const found = find(item, index);
    if (found !== undefined) return found;
  }
  return undefined;
}
