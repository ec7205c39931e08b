import { dirname } from "node:path";
import type { OperationOptions } from "../../runtime/types.ts";
import { CapabilityKinds } from "../../security/kinds.ts";
import type { PolicyFormat } from "../../security/policy_file/document.ts";
import type { MapNode, PolicyNode } from "../../security/policy_file/nodes.ts";
import {
  formatOf,
  readBytes,
  readRoot,
} from "../../security/policy_file/parts.ts";
import {
  failure,
  type PolicySource,
  Problems,
} from "../../security/policy_file/problems.ts";
import {
  missing,
  textOf,
  unknownName,
  validate,
} from "../../security/policy_file/validate.ts";
import { WrapperFactory } from "../mod.ts";
import type { Wrapper, WrapperKind } from "../types.ts";
import { Converter, withAmounts } from "./convert.ts";
import { MANIFEST_VERSION } from "./schema.ts";

export { MANIFEST_VERSION };

/** What manifests are read with. */
export interface ManifestOptions {
  /** The kinds of wrappers; the built-in ones, if left out. */
  wrappers?: WrapperFactory;
  /** The kinds of capabilities; the built-in ones, if left out. */
  kinds?: CapabilityKinds;
  /** Reads at most so many bytes of a file; this process does, if left out. */
  read?: (path: string, maxBytes: number) => Promise<Uint8Array>;
  /** How it is written; by the name of the file, if it is left out. */
  format?: PolicyFormat;
}

/** Options of {@linkcode parseManifest}. */
export interface ParseManifestOptions extends ManifestOptions {
  /**
   * Name of the file, for messages.
   *
   * @default {"manifest"}
   */
  source?: string;
  /** What paths are relative to. Without it they must be absolute. */
  baseDirectory?: string;
}

/** What a manifest says. */
export interface WrapperManifest {
  /** Name of the wrapper's kind. */
  readonly type: string;
  /** The kind. */
  readonly kind: WrapperKind;
  /** Its options, as code would give them. */
  readonly options: Readonly<Record<string, unknown>>;
}

/**
 * Reads a manifest, and the policy files that it names. It is written as policy
 * files are: a strict part of YAML, or JSON.
 *
 * @param input The text, or its bytes, of at most 256 KiB.
 * @param options What it is called, and what it may hold.
 * @returns What it says.
 * @throws {SandboxError} With code `invalid-manifest`; `details.problems` tells
 * everything that is wrong, with line and column. With `invalid-policy`, if that
 * is a policy file that it names.
 */
export async function parseManifest(
  input: string | Uint8Array,
  options: ParseManifestOptions = {},
): Promise<WrapperManifest> {
  const { source = "manifest", format = formatOf(source) } = options;
  const { wrappers = new WrapperFactory(), kinds = new CapabilityKinds() } =
    options;
  const { root, file } = readRoot(input, format, nameOf(source));
  const problems = new Problems(file);
  const document = asMap(root, file);
  const sections = checkNames(document, wrappers, problems);
  const [section] = sections;
  if (section === undefined || sections.length > 1) {
    problems.add(sectionsFinding(document, sections, wrappers));
    problems.raise();
    throw new Error("unreachable: a problem was noted");
  }
  const kind = await wrappers.create(section.name);
  const node = withAmounts(section.node, kind.schema);
  problems.addAll(validate(node, kind.schema, [section.name]));
  const { baseDirectory, read } = options;
  const converter = new Converter({ baseDirectory, kinds, problems, read });
  const value = await converter.value(node, kind.schema, [section.name]);
  problems.raise();
  return {
    type: section.name,
    kind,
    options: value as Readonly<Record<string, unknown>>,
  };
}

/**
 * Reads a manifest from a file. Paths in it are relative to its own directory.
 *
 * @param path Where it is.
 * @param options What it may hold, and how it is read.
 * @returns What it says.
 * @throws {SandboxError} With code `invalid-manifest` or `invalid-policy`.
 */
export async function readManifestFile(
  path: string,
  options: ManifestOptions = {},
): Promise<WrapperManifest> {
  const bytes = await readBytes(path, options.read, nameOf(path));
  return await parseManifest(bytes, {
    ...options,
    source: path,
    baseDirectory: dirname(path),
  });
}

/**
 * Reads a manifest from a file, and makes the wrapper.
 *
 * @param path Where it is.
 * @param options What it may hold, how it is read, and cancellation.
 * @returns The wrapper; dispose it when done.
 * @throws {SandboxError} With code `invalid-manifest` or `invalid-policy`, or as
 * the wrapper does.
 */
export async function openManifest(
  path: string,
  options: ManifestOptions & OperationOptions = {},
): Promise<Wrapper> {
  const { signal, ...rest } = options;
  signal?.throwIfAborted();
  const { kind, options: given } = await readManifestFile(path, rest);
  return await kind.create(given, signal === undefined ? {} : { signal });
}

function nameOf(source: string): Omit<PolicySource, "text"> {
  return { source, what: "manifest", code: "invalid-manifest" };
}

function asMap(root: PolicyNode, file: PolicySource): MapNode {
  if (root.kind === "map") return root;
  throw failure(file, {
    offset: root.offset,
    problem: `it is ${textOf(root)}`,
    expected: 'an object with "version" and the section of a wrapper',
  });
}

/** A section of a manifest. */
interface Section {
  readonly name: string;
  readonly offset: number;
  readonly node: PolicyNode;
}

const VERSION = { const: MANIFEST_VERSION };

/** Checks everything outside of the sections, and finds those. */
function checkNames(
  document: MapNode,
  wrappers: WrapperFactory,
  problems: Problems,
): readonly Section[] {
  const known = ["version", "$schema", ...wrappers];
  const sections: Section[] = [];
  if (!document.entries.has("version")) {
    problems.add(missing(document, VERSION, ["version"]));
  }
  for (const [name, { offset, node }] of document.entries) {
    if (name === "version") problems.addAll(validate(node, VERSION, [name]));
    else if (wrappers.has(name)) sections.push({ name, offset, node });
    else if (name !== "$schema") {
      problems.add(unknownName(offset, name, known, []));
    }
  }
  return sections;
}

function sectionsFinding(
  document: MapNode,
  [, second]: readonly Section[],
  wrappers: WrapperFactory,
): Parameters<Problems["add"]>[0] {
  const expected = `one of ${[...wrappers].join(", ")}`;
  return second === undefined
    ? {
      offset: document.offset,
      problem: "there is no section of a wrapper",
      expected,
    }
    : {
      offset: second.offset,
      path: [second.name],
      problem: "is a second section",
      expected,
      hint: "each wrapper has a manifest of its own",
    };
}
