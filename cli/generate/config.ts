/** A template's config: out of a file and flags, with all that is wrong at once. */

import { dirname, resolve } from "node:path";
import { ValidationError } from "@cliffy/command";
import type { JsonSchema } from "../../security/json_schema.ts";
import {
  dataOf,
  nodeOf,
  type PolicyNode,
} from "../../security/policy_file/nodes.ts";
import {
  formatOf,
  readBytes,
  readRoot,
} from "../../security/policy_file/parts.ts";
import {
  failure,
  type Finding,
  pathText,
  type PolicySource,
  Problems,
} from "../../security/policy_file/problems.ts";
import { textOf, validate } from "../../security/policy_file/validate.ts";
import type {
  TemplateConfig,
  TemplateRenderer,
} from "../../templates/types.ts";
import { withAmounts } from "../../wrappers/manifest/convert.ts";
import { type Session, STDIN } from "../session.ts";
import type { Setting } from "./settings.ts";
import { configOf, merged, propertyOf } from "./values.ts";

/** What a config comes from. */
export interface ConfigSources {
  /** `--config`: a file, or `-`. */
  readonly file?: string | undefined;
  /** What flags set; it goes before the file. */
  readonly settings: readonly Setting[];
}

/** A config, and what is wrong with it so far. */
export interface Draft {
  /** The values that there are. */
  readonly config: TemplateConfig;
  /** What is wrong with them. */
  readonly findings: readonly Finding[];
  /** The file that they are from, if there is one. */
  readonly file?: PolicySource;
}

/**
 * Reads a config. Nothing is missing yet: it may still be asked for.
 *
 * @param session The run of the command line.
 * @param schema The template's schema.
 * @param sources What it comes from.
 * @returns The config.
 * @throws {SandboxError} With code `invalid-config` if the file cannot be read.
 */
export async function readConfig(
  session: Session,
  schema: JsonSchema,
  { file, settings }: ConfigSources,
): Promise<Draft> {
  const found = file === undefined
    ? undefined
    : await readFile(session, file, schema);
  const over = absolute(configOf(settings, schema), schema, ".");
  return {
    config: merged(found?.config ?? {}, over),
    findings: [
      ...found?.findings ?? [],
      ...validate(nodeOf(over), lenient(schema), []).map(nowhere),
    ],
    ...(found === undefined ? {} : { file: found.file }),
  };
}

/**
 * Refuses a config with which anything is wrong.
 *
 * @param template What it is for.
 * @param draft The config.
 * @throws {SandboxError} With code `invalid-config` if there is a file; lines and
 * columns are its own.
 * @throws {ValidationError} Otherwise. Both tell all that is wrong.
 */
export function checkConfig(
  { name, schema }: TemplateRenderer,
  { config, findings, file }: Draft,
): void {
  const missing = missingIn(config, schema);
  if (file !== undefined) {
    const problems = new Problems(file);
    problems.addAll([...findings, ...missing]);
    return problems.raise();
  }
  const all = [...findings, ...missing.map(withFlag)];
  if (all.length === 0) return;
  throw new ValidationError(
    `Cannot generate ${name}: ${all.map(findingText).join("; ")}`,
  );
}

/**
 * What a config lacks.
 *
 * @param config The config.
 * @param schema Its schema.
 * @returns A finding for each.
 */
export function missingIn(
  config: TemplateConfig,
  schema: JsonSchema,
): readonly Finding[] {
  return validate(nodeOf(config), schema, [])
    .filter(({ problem }) => problem === "is missing").map(nowhere);
}

/** What is in no file has no place there. */
function nowhere({ offset: _, ...finding }: Finding): Finding {
  return finding;
}

function withFlag(finding: Finding): Finding {
  const { path = [] } = finding;
  const isName = path.length === 1 && path[0] === "name";
  return {
    ...finding,
    hint: isName ? "--name sets it" : `--set ${path.join(".")}=… sets it`,
  };
}

function findingText(
  { path = [], problem, expected, hint, isWhole = false }: Finding,
): string {
  const wanted = isWhole ? "" : `, expected ${expected}`;
  return `${pathText(path)} ${problem}${wanted}${
    hint === undefined ? "" : ` (${hint})`
  }`;
}

async function readFile(
  { host }: Session,
  file: string,
  schema: JsonSchema,
): Promise<Draft & { readonly file: PolicySource }> {
  const name = {
    source: file,
    what: "config",
    code: "invalid-config",
  } as const;
  const bytes = await readBytes(
    file,
    (path, maxBytes) =>
      path === STDIN ? host.readStdin(maxBytes) : host.readFile(path, maxBytes),
    name,
  );
  const { root, file: source } = readRoot(bytes, formatOf(file), name);
  if (root.kind !== "map") {
    throw failure(source, {
      offset: root.offset,
      problem: `it is ${textOf(root)}`,
      expected: "an object with the values of a template",
    });
  }
  const node = withAmounts(withoutSchemaName(root), schema);
  const base = file === STDIN ? "." : dirname(file);
  return {
    config: absolute(dataOf(node) as TemplateConfig, schema, base),
    findings: validate(node, lenient(schema), []),
    file: source,
  };
}

/** `$schema` is for editors. */
function withoutSchemaName(
  root: PolicyNode & { readonly kind: "map" },
): PolicyNode {
  const entries = new Map(root.entries);
  entries.delete("$schema");
  return { ...root, entries };
}

/** A schema that requires nothing. */
function lenient(schema: JsonSchema): JsonSchema {
  const { required: _, properties, ...rest } = schema;
  return properties === undefined ? rest : {
    ...rest,
    properties: Object.fromEntries(
      Object.entries(properties).map(([name, each]) => [name, lenient(each)]),
    ),
  };
}

/** A config whose paths do not depend on where one is. */
function absolute(
  config: TemplateConfig,
  schema: JsonSchema,
  base: string,
): Record<string, unknown> {
  const entries = Object.entries(config).map(([name, value]) => {
    const own = propertyOf(schema, name);
    const isPath = own?.format === "path" || own?.format === "module";
    if (isPath && typeof value === "string" && isRelative(value)) {
      return [name, resolve(base, value)] as const;
    }
    const isTable = own?.type === "object" && typeof value === "object" &&
      value !== null && !Array.isArray(value);
    return [
      name,
      isTable ? absolute(value as TemplateConfig, own, base) : value,
    ] as const;
  });
  return Object.assign(Object.create(null), Object.fromEntries(entries));
}

function isRelative(path: string): boolean {
  return path !== "" && !/^[a-z][a-z+.-]+:\/\//i.test(path);
}
