/** Makes options of what a manifest says. */

import { isAbsolute, resolve } from "node:path";
import { quote } from "../../_text.ts";
import type { JsonSchema } from "../../security/json_schema.ts";
import type { CapabilityKinds } from "../../security/kinds.ts";
import type { PolicyDocument } from "../../security/policy_file/document.ts";
import type { MapNode, PolicyNode } from "../../security/policy_file/nodes.ts";
import { readPolicyFile } from "../../security/policy_file/parse.ts";
import {
  readCapabilities,
  readLimits,
} from "../../security/policy_file/parts.ts";
import type { Path, Problems } from "../../security/policy_file/problems.ts";
import {
  textOf,
  validate,
  wrong,
} from "../../security/policy_file/validate.ts";
import { parseDuration, parseSize } from "../../security/units.ts";

/** What values are read with. */
export interface ConverterContext {
  /** Where relative paths begin; without it there are none. */
  readonly baseDirectory: string | undefined;
  readonly kinds: CapabilityKinds;
  readonly problems: Problems;
  /** Reads a file. */
  readonly read:
    | ((path: string, maxBytes: number) => Promise<Uint8Array>)
    | undefined;
}

/** A path that a shell would understand, and nobody here. */
const FOREIGN_PATH = /^(?:~|[a-z][a-z+.-]+:\/\/)/i;

const AMOUNTS = { bytes: parseSize, milliseconds: parseDuration } as const;

/** A section in which amounts such as `64MiB` and `2s` are numbers. */
export function withAmounts(node: PolicyNode, schema: JsonSchema): PolicyNode {
  if (schema.oneOf !== undefined) return withOneOf(node, schema.oneOf);
  const { format, properties = {}, additionalProperties, items } = schema;
  if (node.kind === "scalar") {
    return format === "bytes" || format === "milliseconds"
      ? withAmount(node, AMOUNTS[format])
      : node;
  }
  if (node.kind === "list") {
    return items === undefined ? node : {
      ...node,
      items: node.items.map((item) => withAmounts(item, items)),
    };
  }
  const entries = [...node.entries].map(([name, entry]) => {
    const own = Object.hasOwn(properties, name)
      ? properties[name]
      : additionalProperties;
    return [
      name,
      own ? { ...entry, node: withAmounts(entry.node, own) } : entry,
    ] as const;
  });
  return { ...node, entries: new Map(entries) };
}

/** As the first alternative has it that it fits. */
function withOneOf(
  node: PolicyNode,
  alternatives: readonly JsonSchema[],
): PolicyNode {
  for (const each of alternatives) {
    if (each.format === "code") continue;
    const converted = withAmounts(node, each);
    if (validate(converted, each, []).length === 0) return converted;
  }
  return node;
}

function withAmount(
  node: PolicyNode & { readonly kind: "scalar" },
  parse: (text: string) => number,
): PolicyNode {
  if (typeof node.value !== "string") return node;
  try {
    const value = parse(node.value);
    return { ...node, value, plain: String(value) };
  } catch {
    // what is wrong with it is told when it is validated
    return node;
  }
}

/** Makes options of a section. */
export class Converter {
  readonly #context: ConverterContext;
  /** Policy files that were read: many guests may share one. */
  readonly #policyFiles = new Map<string, PolicyDocument>();

  constructor(context: ConverterContext) {
    this.#context = context;
  }

  /** What a node stands for. */
  async value(
    node: PolicyNode,
    schema: JsonSchema,
    path: Path,
  ): Promise<unknown> {
    const { problems } = this.#context;
    switch (schema.format) {
      case "code":
        problems.add({
          offset: node.offset,
          path,
          problem: "can be given in code alone",
          expected: "nothing",
          isWhole: true,
        });
        return undefined;
      case "limits":
        return readLimits(node, path, problems);
      case "module":
        return this.#module(node, path);
      case "path":
        // what is no text is told when it is validated
        return isText(node) ? this.#path(node, path) : undefined;
      case "policy":
        return readCapabilities(node, path, this.#context);
    }
    const alternative = schema.oneOf?.find((each) =>
      validate(node, each, path).length === 0
    );
    if (alternative !== undefined) {
      return await this.value(node, alternative, path);
    }
    if (node.kind === "scalar") return node.value;
    if (node.kind === "map") return await this.#map(node, schema, path);
    const { items = {} } = schema;
    const values: unknown[] = [];
    for (const [index, item] of node.items.entries()) {
      values.push(await this.value(item, items, [...path, index]));
    }
    return values;
  }

  async #map(
    node: MapNode,
    { properties = {}, additionalProperties }: JsonSchema,
    path: Path,
  ): Promise<unknown> {
    const values: Record<string, unknown> = Object.create(null);
    let document: PolicyDocument | undefined;
    for (const [name, { node: part }] of node.entries) {
      const schema = (Object.hasOwn(properties, name)
        ? properties[name]
        : additionalProperties) || {};
      const place = [...path, name];
      if (schema.format === "policy" && part.kind === "scalar") {
        document = await this.#policyFile(part, place);
        continue;
      }
      values[name] = await this.value(part, schema, place);
    }
    return document === undefined ? values : merged(values, document);
  }

  /** Reads a policy file that is named in the place of a policy. */
  async #policyFile(
    node: PolicyNode,
    path: Path,
  ): Promise<PolicyDocument | undefined> {
    const file = this.#path(node, path);
    if (file === undefined) return undefined;
    const known = this.#policyFiles.get(file);
    if (known !== undefined) return known;
    const { kinds, read } = this.#context;
    const document = await readPolicyFile(file, {
      kinds,
      ...(read === undefined ? {} : { read }),
    });
    this.#policyFiles.set(file, document);
    return document;
  }

  #module(node: PolicyNode, path: Path): string | URL | undefined {
    const text = node.kind === "scalar" ? node.value : undefined;
    if (typeof text !== "string" || !/^(?:https?|file):/i.test(text)) {
      return this.#path(node, path);
    }
    // "file:app.wasm" would be a file at the root
    if (/^[a-z]+:\/\//i.test(text) && URL.canParse(text)) return new URL(text);
    this.#context.problems.add(wrong(node, URL_TEXT, path));
    return undefined;
  }

  #path(node: PolicyNode, path: Path): string | undefined {
    const { problems, baseDirectory } = this.#context;
    const text = node.kind === "scalar" ? node.value : undefined;
    if (typeof text !== "string" || text === "") {
      problems.add(wrong(node, { type: "string", minLength: 1 }, path));
      return undefined;
    }
    const finding = {
      offset: node.offset,
      path,
      problem: `is ${textOf(node)}`,
    };
    if (FOREIGN_PATH.test(text)) {
      problems.add({
        ...finding,
        expected: "a path",
        hint: `${quote(`./${text}`)} is a file of that name`,
      });
    } else if (baseDirectory === undefined && !isAbsolute(text)) {
      problems.add({
        ...finding,
        expected: "an absolute path, since it is not known what it is " +
          "relative to",
      });
    }
    return resolve(baseDirectory ?? "/", text);
  }
}

function isText(node: PolicyNode): boolean {
  return node.kind === "scalar" && typeof node.value === "string";
}

const URL_TEXT: JsonSchema = { type: "string", pattern: "^[a-z]+://" };

/** Options with what a policy file says beneath them. */
function merged(
  options: Record<string, unknown>,
  { policy, limits, isolation }: PolicyDocument,
): Record<string, unknown> {
  return {
    ...(isolation === undefined ? {} : { isolation }),
    ...options,
    policy,
    limits: { ...limits, ...options.limits as object | undefined },
  };
}
