/** Reads the capabilities of a policy file. */

import { isAbsolute, resolve } from "node:path";
import { quote } from "../../_text.ts";
import { SandboxError } from "../../errors.ts";
import type { CapabilityKinds } from "../kinds.ts";
import { SecurityPolicy } from "../policy.ts";
import type { Capability } from "../types.ts";
import {
  dataOf,
  type MapNode,
  nodeAt,
  type PolicyNode,
  type ScalarNode,
} from "./nodes.ts";
import {
  type Finding,
  type Path,
  pathText,
  type Problems,
} from "./problems.ts";
import { missing, textOf, validate, wrong } from "./validate.ts";

/** Most capabilities of one file. */
const MAX_CAPABILITIES = 128;

/** A path that a shell or a browser would understand, and nobody here. */
const FOREIGN_PATH = /^(?:~|[a-z][a-z+.-]+:\/\/)/i;

/** What capabilities are read with. */
export interface CapabilityContext {
  readonly kinds: CapabilityKinds;
  /** Where relative paths begin; without it there are none. */
  readonly baseDirectory: string | undefined;
  readonly problems: Problems;
}

/** Reads the list of capabilities. */
export function readCapabilities(
  node: PolicyNode | undefined,
  path: Path,
  context: CapabilityContext,
): SecurityPolicy {
  const { kinds, problems } = context;
  const policy = SecurityPolicy.strict(kinds);
  if (node === undefined) return policy;
  if (node.kind !== "list") {
    problems.add(wrong(node, { type: "array" }, path));
    return policy;
  }
  if (node.items.length > MAX_CAPABILITIES) {
    problems.add({
      offset: node.offset,
      path,
      problem: `has ${node.items.length} items`,
      expected: `at most ${MAX_CAPABILITIES}`,
    });
    return policy;
  }
  const read = node.items.flatMap((item, index) =>
    readCapability(item, [...path, index], context)
  );
  return join(read, context);
}

/** A capability, and where it is from. */
interface ReadCapability {
  readonly capability: Capability;
  readonly node: PolicyNode;
  readonly path: Path;
}

function readCapability(
  node: PolicyNode,
  path: Path,
  context: CapabilityContext,
): readonly ReadCapability[] {
  const { kinds, problems } = context;
  const type = typeOf(node, path, context);
  if (type === undefined || node.kind !== "map") return [];
  const findings = [
    ...validate(node, kinds.get(type).schema, path),
    ...checkHostPaths(node, path, context),
  ];
  problems.addAll(findings);
  if (findings.length > 0) return [];
  try {
    const capability = kinds.parse(withHostPaths(dataOf(node), context));
    return [{ capability, node, path }];
  } catch (error) {
    problems.add(findingOf(error, node, path));
    return [];
  }
}

/** Joins halves, since what is joined is checked anew each time. */
function join(
  read: readonly ReadCapability[],
  context: CapabilityContext,
): SecurityPolicy {
  if (read.length <= 1) {
    return SecurityPolicy.strict(context.kinds)
      .allowCapability(read.map(({ capability }) => capability));
  }
  const middle = read.length >> 1;
  const left = join(read.slice(0, middle), context);
  const others = read.slice(middle);
  const right = join(others, context);
  try {
    return left.merge(right);
  } catch (error) {
    context.problems.add(findContradiction(left, others, error));
    return left;
  }
}

/** What of some capabilities cannot be granted beside those of a policy. */
function findContradiction(
  policy: SecurityPolicy,
  others: readonly ReadCapability[],
  error: unknown,
): Finding {
  for (const { capability, node, path } of others) {
    try {
      policy.allowCapability(capability);
    } catch (reason) {
      return findingOf(reason, node, path);
    }
  }
  throw error;
}

/** The type of a capability, if it is a known one. */
function typeOf(
  node: PolicyNode,
  path: Path,
  { kinds, problems }: CapabilityContext,
): string | undefined {
  const types = [...kinds].map((kind) => kind.type);
  if (node.kind !== "map") {
    problems.add(wrong(node, { type: "object" }, path));
    return undefined;
  }
  const type = node.entries.get("type")?.node;
  const schema = { enum: types };
  if (type === undefined) {
    problems.add(missing(node, schema, [...path, "type"]));
    return undefined;
  }
  if (type.kind === "scalar" && typeof type.value === "string") {
    if (kinds.has(type.value)) return type.value;
  }
  problems.add(wrong(type, schema, [...path, "type"]));
  return undefined;
}

/** Where a capability of files names directories of the host. */
function hostPaths(node: MapNode): readonly [ScalarNode, Path][] {
  if (nodeAt(node, ["type"])?.kind !== "scalar") return [];
  if (dataOf(node.entries.get("type")?.node ?? node) !== "filesystem") {
    return [];
  }
  const mounts = nodeAt(node, ["mounts"]);
  if (mounts?.kind !== "list") return [];
  return mounts.items.flatMap((mount, index) => {
    const host = nodeAt(mount, ["host"]);
    const path = ["mounts", index, "host"];
    return host?.kind === "scalar" && typeof host.value === "string"
      ? [[host, path]]
      : [];
  });
}

function checkHostPaths(
  node: MapNode,
  path: Path,
  { baseDirectory }: CapabilityContext,
): readonly Finding[] {
  return hostPaths(node).flatMap(([host, steps]) => {
    const text = String(host.value);
    const finding = { offset: host.offset, path: [...path, ...steps] };
    if (FOREIGN_PATH.test(text)) {
      return [{
        ...finding,
        problem: `is ${textOf(host)}`,
        expected: "a path",
        hint: `${quote(`./${text}`)} is a directory of that name`,
      }];
    }
    return baseDirectory === undefined && !isAbsolute(text)
      ? [{
        ...finding,
        problem: `is ${textOf(host)}`,
        expected: "an absolute path, since it is not known what it is " +
          "relative to",
      }]
      : [];
  });
}

/** Makes the host's paths of a capability of files absolute. */
function withHostPaths(
  data: unknown,
  { baseDirectory }: CapabilityContext,
): unknown {
  const capability = data as Capability & { readonly mounts?: unknown };
  const { type, mounts } = capability;
  if (type !== "filesystem" || !Array.isArray(mounts)) return data;
  return {
    ...capability,
    mounts: mounts.map((mount) =>
      typeof mount?.host === "string" && mount.host !== ""
        ? { ...mount, host: resolve(baseDirectory ?? "/", mount.host) }
        : mount
    ),
  };
}

/** What a kind had against a capability, at its place. */
function findingOf(error: unknown, node: PolicyNode, path: Path): Finding {
  if (!SandboxError.is(error, "invalid-capability")) throw error;
  const { problem, path: written } = error.details;
  const steps = stepsOf(node, written, []) ?? [];
  const place = nodeAt(node, steps) ?? node;
  const text = written === "" || steps.length > 0
    ? problem.slice((written || "it").length + 1)
    : problem;
  const [, expected = text] = /^must (?:be )?(.*?)(?:, not .*)?$/s.exec(text) ??
    [];
  return {
    offset: place.offset,
    path: [...path, ...steps],
    problem: text,
    expected,
    isWhole: true,
  };
}

/** The steps to the piece whose path is written so. */
function stepsOf(
  node: PolicyNode,
  written: string,
  steps: Path,
): Path | undefined {
  const here = pathText(steps);
  if (here === written) return steps;
  if (!written.startsWith(here)) return undefined;
  const parts: Iterable<readonly [string | number, PolicyNode]> =
    node.kind === "list"
      ? node.items.entries()
      : node.kind === "map"
      ? [...node.entries].map(([name, entry]) => [name, entry.node] as const)
      : [];
  for (const [step, part] of parts) {
    const found = stepsOf(part, written, [...steps, step]);
    if (found !== undefined) return found;
  }
  return undefined;
}
