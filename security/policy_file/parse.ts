import { dirname } from "node:path";
import { SandboxError } from "../../errors.ts";
import { messageOf } from "../_foreign.ts";
import { CapabilityKinds } from "../kinds.ts";
import { LIMIT_NAMES, type LimitName, type ResourceLimits } from "../limits.ts";
import { readCapabilities } from "./_capabilities.ts";
import { readJson } from "./_json.ts";
import { expectedOf, readLimit, UNLIMITED } from "./_limits.ts";
import type { MapNode, PolicyNode, ScalarNode } from "./nodes.ts";
import { failure, type Path, type PolicySource, Problems } from "./problems.ts";
import {
  checkText,
  decode,
  type FileName,
  MAX_POLICY_BYTES,
} from "./_text_of.ts";
import { missing, textOf, unknownName, validate, wrong } from "./validate.ts";
import { readYaml } from "./_yaml.ts";
import {
  formatOf,
  type PolicyDocument,
  type PolicyFormat,
  type PolicyIsolation,
} from "./document.ts";
import { policySchema } from "./schema.ts";

/** Options of {@linkcode parsePolicy}. */
export interface ParsePolicyOptions {
  /**
   * Name of the file, for messages.
   *
   * @default {"policy"}
   */
  source?: string;
  /** How it is written; by the name of the file, if it is left out. */
  format?: PolicyFormat;
  /**
   * What the paths of the host's directories are relative to. Without it they
   * must be absolute.
   */
  baseDirectory?: string;
  /** The kinds of capabilities; the built-in ones, if left out. */
  kinds?: CapabilityKinds;
}

/**
 * Reads a policy.
 *
 * Of YAML it takes mappings, lists and scalars in one line, and refuses the
 * rest: anchors, aliases, tags, merge keys, directives, blocks of text, and
 * whatever readers of YAML understand differently. In both formats every name
 * is there once, and nesting ends at 32 levels.
 *
 * @example Usage
 * ```ts
 * import { parsePolicy } from "@wasm-sandbox/core/policy";
 * import { assertEquals } from "@std/assert";
 *
 * const { policy, limits } = parsePolicy(`
 * version: 1
 * limits: { memoryBytes: 16MiB, timeoutMs: 2s }
 * capabilities:
 *   - type: filesystem
 *     mounts: [{ guest: /data, host: /srv/data, access: read }]
 * `);
 * assertEquals(limits, { memoryBytes: 16 * 2 ** 20, timeoutMs: 2_000 });
 * assertEquals(policy.find("filesystem")?.mounts.length, 1);
 * ```
 *
 * @param input The text, or its bytes, of at most 256 KiB.
 * @param options What it is called and how it is written.
 * @returns What it says.
 * @throws {SandboxError} With code `invalid-policy`; `details.problems` tells
 * everything that is wrong, with line and column.
 */
export function parsePolicy(
  input: string | Uint8Array,
  options: ParsePolicyOptions = {},
): PolicyDocument {
  const { source = "policy", format = formatOf(source) } = options;
  const { kinds = new CapabilityKinds(), baseDirectory } = options;
  const { root, file } = readRoot(input, format, { source });
  const problems = new Problems(file);
  const document = asMap(root, file);
  checkNames(document, problems);
  const limits = readLimits(
    document.entries.get("limits")?.node,
    ["limits"],
    problems,
  );
  const policy = readCapabilities(
    document.entries.get("capabilities")?.node,
    ["capabilities"],
    { kinds, baseDirectory, problems },
  );
  problems.raise();
  const isolation = document.entries.get("isolation")?.node as
    | ScalarNode
    | undefined;
  return Object.freeze({
    policy,
    limits,
    ...(isolation === undefined
      ? {}
      : { isolation: isolation.value as PolicyIsolation }),
  });
}

/** Reads a document down to its values, with the place of each. */
export function readRoot(
  input: string | Uint8Array,
  format: PolicyFormat,
  name: FileName,
): { readonly root: PolicyNode; readonly file: PolicySource } {
  const file = checkText(
    typeof input === "string" ? input : decode(input, name),
    name,
  );
  return { root: format === "json" ? readJson(file) : readYaml(file), file };
}

/** Options of {@linkcode readPolicyFile}. */
export interface ReadPolicyOptions
  extends Omit<ParsePolicyOptions, "source" | "baseDirectory"> {
  /** Reads at most so many bytes of a file; this process does, if left out. */
  read?: (path: string, maxBytes: number) => Promise<Uint8Array>;
}

/**
 * Reads a policy file. Paths in it are relative to its own directory.
 *
 * @param path Where it is.
 * @param options How it is written, and how it is read.
 * @returns What it says.
 * @throws {SandboxError} With code `invalid-policy`, also if there is no such
 * file.
 */
export async function readPolicyFile(
  path: string,
  options: ReadPolicyOptions = {},
): Promise<PolicyDocument> {
  const { read = readStart, ...rest } = options;
  const bytes = await readBytes(path, read);
  return parsePolicy(bytes, {
    ...rest,
    source: path,
    baseDirectory: dirname(path),
  });
}

/** Reads a file that is to be imported or parsed, or fails as a policy does. */
export async function readBytes(
  path: string,
  read: (path: string, maxBytes: number) => Promise<Uint8Array> = readStart,
  name: FileName = { source: path },
): Promise<Uint8Array> {
  try {
    // one byte more tells that it is too long
    return await read(path, MAX_POLICY_BYTES + 1);
  } catch (cause) {
    if (SandboxError.is(cause)) throw cause;
    const problem = cause instanceof Deno.errors.NotFound
      ? "the file does not exist"
      : cause instanceof Deno.errors.IsADirectory
      ? "the file cannot be read: it is a directory"
      : `the file cannot be read: ${messageOf(cause)}`;
    throw failure({ ...name, text: "" }, {
      problem,
      expected: `a ${name.what ?? "policy"} file`,
    }, cause);
  }
}

async function readStart(path: string, maxBytes: number): Promise<Uint8Array> {
  using file = await Deno.open(path);
  const buffer = new Uint8Array(maxBytes);
  let length = 0;
  while (length < maxBytes) {
    const count = await file.read(buffer.subarray(length));
    if (count === null) break;
    length += count;
  }
  return buffer.subarray(0, length);
}

function asMap(root: PolicyNode, file: PolicySource): MapNode {
  if (root.kind === "map") return root;
  throw failure(file, {
    offset: root.offset,
    problem: `it is ${textOf(root)}`,
    expected: 'an object with "version", "limits" and "capabilities"',
  });
}

/** Checks everything but the limits and the capabilities. */
function checkNames(document: MapNode, problems: Problems): void {
  const { properties = {}, required = [] } = policySchema();
  for (const name of required) {
    if (document.entries.has(name)) continue;
    problems.add(missing(document, properties[name], [name]));
  }
  for (const [name, { offset, node }] of document.entries) {
    const schema = Object.hasOwn(properties, name)
      ? properties[name]
      : undefined;
    if (schema === undefined) {
      problems.add(unknownName(offset, name, Object.keys(properties), []));
    } else if (name !== "limits" && name !== "capabilities") {
      problems.addAll(validate(node, schema, [name]));
    }
  }
}

/** Reads limits, each with the unit it is written in. */
export function readLimits(
  node: PolicyNode | undefined,
  path: Path,
  problems: Problems,
): ResourceLimits {
  if (node === undefined) return Object.freeze({});
  if (node.kind !== "map") {
    problems.add(wrong(node, { type: "object" }, path));
    return {};
  }
  const limits: Partial<Record<LimitName, number>> = {};
  for (const [name, entry] of node.entries) {
    const limit = LIMIT_NAMES.find((each) => each === name);
    if (limit === undefined) {
      problems.add(unknownName(entry.offset, name, LIMIT_NAMES, path));
      continue;
    }
    const written = entry.node;
    const amount = written.kind === "scalar"
      ? readLimit(limit, written.value)
      : undefined;
    if (amount !== undefined) limits[limit] = amount;
    else {
      problems.add({
        offset: written.offset,
        path: [...path, name],
        problem: `is ${textOf(written)}`,
        expected: expectedOf(limit),
      });
    }
  }
  checkTogether(limits, node, path, problems);
  return Object.freeze(limits);
}

/** A call without a deadline needs another end. */
function checkTogether(
  limits: ResourceLimits,
  { entries }: MapNode,
  path: Path,
  problems: Problems,
): void {
  if (limits.timeoutMs !== Infinity || limits.fuel !== undefined) return;
  problems.add({
    offset: entries.get("timeoutMs")?.node.offset,
    path: [...path, "timeoutMs"],
    problem: `is "${UNLIMITED}"`,
    expected: `${expectedOf("timeoutMs")}, or a limit of fuel besides`,
  });
}
