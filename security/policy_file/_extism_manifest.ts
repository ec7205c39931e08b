/** Reads an Extism manifest: its shape, as strictly as Extism itself. */

import { SandboxError } from "../../errors.ts";
import type { JsonSchema } from "../json_schema.ts";
import { readJson } from "./_json.ts";
import { dataOf, type PolicyNode } from "./nodes.ts";
import { failure, type PolicySource, Problems } from "./problems.ts";
import { checkText, decode } from "./_text_of.ts";
import { unknownName, validate, wrong } from "./validate.ts";
import type { ExtismDialect } from "./extism.ts";

/** What a manifest says that a policy may have to do with. */
export interface Manifest {
  readonly wasm: readonly { readonly hash?: unknown }[];
  readonly maxPages: number | undefined;
  readonly maxHttpResponseBytes: number | undefined;
  readonly maxVarBytes: number | undefined;
  readonly config: Readonly<Record<string, string>>;
  readonly allowedHosts: readonly string[];
  readonly allowedPaths: readonly AllowedPath[];
  readonly timeoutMs: number | undefined;
}

/** A directory of the host, and where a plugin sees it. */
export interface AllowedPath {
  /** Its name in the manifest. */
  readonly key: string;
  readonly host: string;
  readonly guest: string;
  readonly isReadOnly: boolean;
}

/** How a manifest is read. */
export interface ManifestOptions {
  readonly source: string;
  readonly dialect: ExtismDialect;
}

const BYTES: JsonSchema = { type: "integer", minimum: 0 };
const TEXTS: JsonSchema = {
  type: "object",
  additionalProperties: { type: "string" },
};

/** The fields of a manifest, by the names of the Rust library. */
const FIELDS: Readonly<Record<string, JsonSchema>> = Object.freeze({
  wasm: { type: "array", items: { type: "object" } },
  memory: { type: "object" },
  config: TEXTS,
  allowed_hosts: { type: "array", items: { type: "string" } },
  allowed_paths: TEXTS,
  timeout_ms: BYTES,
});

/** The fields of `memory`. */
const MEMORY_FIELDS: Readonly<Record<string, JsonSchema>> = Object.freeze({
  max_pages: { ...BYTES, maximum: 2 ** 32 - 1 },
  max_http_response_bytes: BYTES,
  max_var_bytes: BYTES,
});

/** Those that may be null, as an `Option` of Rust is. */
const OPTIONAL: ReadonlySet<string> = new Set([
  "allowed_hosts",
  "allowed_paths",
  "timeout_ms",
  ...Object.keys(MEMORY_FIELDS),
]);

/** Most modules, hosts, paths or values of one manifest. */
const MAX_ITEMS = 256;

/** What begins the path of a directory that is only read. */
const READ_ONLY = "ro:";

/** Reads a manifest out of its text, its bytes, or an object. */
export function readManifest(
  manifest: string | Uint8Array | object,
  options: ManifestOptions,
): Manifest {
  const file = fileOf(manifest, options);
  const root = readJson(file);
  // an object has no lines
  const isText = typeof manifest === "string" || manifest instanceof Uint8Array;
  const problems = new Problems(
    isText ? file : { ...file, text: "" },
  );
  if (root.kind !== "map") {
    problems.add(wrong(root, { type: "object" }, []));
    problems.raise();
  }
  const fields = fieldsOf(root, FIELDS, [], problems);
  const memoryNode = fields.get("memory");
  const memory = memoryNode === undefined
    ? new Map<string, PolicyNode>()
    : fieldsOf(memoryNode, MEMORY_FIELDS, ["memory"], problems);
  problems.raise();
  return manifestOf(fields, memory, options);
}

function fileOf(
  manifest: string | Uint8Array | object,
  { source }: ManifestOptions,
): PolicySource {
  const name = { source, what: "manifest" } as const;
  if (typeof manifest === "string") return checkText(manifest, name);
  if (manifest instanceof Uint8Array) {
    return checkText(decode(manifest, name), name);
  }
  try {
    return checkText(JSON.stringify(manifest) ?? "", name);
  } catch (cause) {
    if (SandboxError.is(cause)) throw cause;
    throw failure({ ...name, text: "" }, {
      problem: "it cannot be written as JSON",
      expected: "plain data",
    }, cause);
  }
}

/** The fields that are there, by the names of the Rust library. */
function fieldsOf(
  node: PolicyNode,
  known: Readonly<Record<string, JsonSchema>>,
  path: readonly string[],
  problems: Problems,
): ReadonlyMap<string, PolicyNode> {
  const fields = new Map<string, PolicyNode>();
  if (node.kind !== "map") return fields;
  for (const [written, { offset, node: value }] of node.entries) {
    const name = snakeCase(written);
    const schema = Object.hasOwn(known, name) ? known[name] : undefined;
    if (schema === undefined) {
      problems.add(unknownName(offset, written, Object.keys(known), path));
    } else if (fields.has(name)) {
      problems.add({
        offset,
        path: [...path, written],
        problem: "is there twice, in two spellings",
        expected: "one of them",
      });
    } else if (!isNull(value) || !OPTIONAL.has(name)) {
      problems.addAll(validate(value, schema, [...path, written]));
      checkSize(value, [...path, written], problems);
      fields.set(name, value);
    }
  }
  return fields;
}

function checkSize(
  node: PolicyNode,
  path: readonly string[],
  problems: Problems,
): void {
  const size = node.kind === "list"
    ? node.items.length
    : node.kind === "map"
    ? node.entries.size
    : 0;
  if (size <= MAX_ITEMS) return;
  problems.add({
    offset: node.offset,
    path,
    problem: `has ${size} items`,
    expected: `at most ${MAX_ITEMS}`,
  });
}

function manifestOf(
  fields: ReadonlyMap<string, PolicyNode>,
  memory: ReadonlyMap<string, PolicyNode>,
  { dialect }: ManifestOptions,
): Manifest {
  // checked against the schema of each field
  const data = <T>(node: PolicyNode | undefined): T | undefined =>
    node === undefined ? undefined : dataOf(node) as T;
  const paths = data<Record<string, string>>(fields.get("allowed_paths")) ?? {};
  return {
    wasm: data<{ hash?: unknown }[]>(fields.get("wasm")) ?? [],
    maxPages: data(memory.get("max_pages")),
    maxHttpResponseBytes: data(memory.get("max_http_response_bytes")),
    maxVarBytes: data(memory.get("max_var_bytes")),
    config: data<Record<string, string>>(fields.get("config")) ?? {},
    allowedHosts: data<string[]>(fields.get("allowed_hosts")) ?? [],
    allowedPaths: Object.entries(paths).map((pair) => pathOf(pair, dialect)),
    timeoutMs: data(fields.get("timeout_ms")),
  };
}

/** Rust maps the host's path to the guest's, JavaScript the other way round. */
function pathOf(
  [key, value]: readonly [string, string],
  dialect: ExtismDialect,
): AllowedPath {
  const [host, guest] = dialect === "native" ? [key, value] : [value, key];
  const isReadOnly = host.startsWith(READ_ONLY);
  return {
    key,
    host: isReadOnly ? host.slice(READ_ONLY.length) : host,
    guest,
    isReadOnly,
  };
}

function isNull(node: PolicyNode): boolean {
  return node.kind === "scalar" && node.value === null;
}

function snakeCase(name: string): string {
  return name.replace(
    /(?<=[a-z])[A-Z]/g,
    (letter) => `_${letter.toLowerCase()}`,
  );
}
