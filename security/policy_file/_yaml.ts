/** Reads YAML by two readers that must agree: our own, which knows places. */

import { parse } from "@std/yaml";
import { printable } from "../../_text.ts";
import { disagreement, type PolicyNode, type ScalarNode } from "./nodes.ts";
import { failure, type Finding, type PolicySource } from "./problems.ts";
import { readBlocks } from "./_yaml_blocks.ts";

/** A number to some version of YAML, if it is no number to JSON. */
const AMBIGUOUS =
  /^[-+]?(?:\d[\d_]*(?:\.[\d_]*)?(?:e[-+]?\d+)?|\.[\d_]+(?:e[-+]?\d+)?|\d[\d_]*(?::[0-5]?\d)+(?:\.[\d_]*)?|0[box][\da-f_]+|\.(?:inf|nan))$/i;

/** Reads a text of YAML. */
export function readYaml(source: PolicySource): PolicyNode {
  // ours first: the library sees nothing but what ours has understood
  const node = readBlocks(source);
  const differs = disagreement(node, readByLibrary(source));
  if (differs !== undefined) {
    throw failure(source, findingOf(differs.node, differs.other));
  }
  const odd = findAmbiguous(node);
  if (odd !== undefined) throw failure(source, findingOf(odd, odd.value));
  return node;
}

/** Text that another version of YAML takes for a number, as in `0o17`. */
function findAmbiguous(node: PolicyNode): ScalarNode | undefined {
  if (node.kind === "scalar") {
    return typeof node.value === "string" && AMBIGUOUS.test(node.plain ?? "")
      ? node
      : undefined;
  }
  const parts = node.kind === "list"
    ? node.items
    : [...node.entries.values()].map((entry) => entry.node);
  for (const part of parts) {
    const found = findAmbiguous(part);
    if (found !== undefined) return found;
  }
  return undefined;
}

function readByLibrary(source: PolicySource): unknown {
  try {
    return parse(source.text, { schema: "core" });
  } catch (cause) {
    const [reason = ""] = cause instanceof Error
      ? cause.message.split("\n", 1)
      : [];
    throw failure(source, {
      problem: `readers of YAML do not agree on it: ${printable(reason)}`,
      expected: "plain YAML",
    }, cause);
  }
}

function findingOf(node: PolicyNode, other: unknown): Finding {
  const { offset } = node;
  if (node.kind !== "scalar" || node.plain === undefined) {
    return {
      offset,
      problem: "readers of YAML do not agree on it",
      expected: "plain YAML",
      hint: "put names and texts in double quotes",
    };
  }
  const made = other === null
    ? "null"
    : typeof other === "object" || other === undefined
    ? "something else"
    : `the ${typeof other} ${printable(String(other))}`;
  return {
    offset,
    problem: `there is ${
      printable(node.plain)
    }, of which YAML makes ${made}, or something else in another version`,
    expected: "a value that every reader of YAML understands alike",
    hint: `"${printable(node.plain)}" in double quotes is the text`,
  };
}
