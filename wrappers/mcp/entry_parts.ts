/** What the entries of all lists have: texts, exports, schemas. */

import { nearest, quote, reasonOf } from "../../_text.ts";
import type { EntryContext, ResourceInfo } from "./entry_types.ts";
import { type Findings, mimeTypeProblem, textProblem } from "./names.ts";
import type { McpToolInfo } from "./types.ts";
import { UriTemplate } from "./uri_template.ts";
import { compileSchema, isObjectSchema, type Validator } from "./validators.ts";

/** Longest title, in characters. */
export const MAX_TITLE = 256;

/** Longest description, in characters. */
export const MAX_DESCRIPTION = 8_192;

/** Notes that an entry's name is taken. */
export function checkFree(
  taken: ReadonlyMap<string, unknown>,
  name: string,
  { where, findings }: EntryContext,
): void {
  if (taken.has(name)) findings.add(where, "is there already");
}

/** Notes a problem, if there is one. */
export function check(
  findings: Findings,
  where: string,
  problem: string | undefined,
): void {
  if (problem !== undefined) findings.add(where, problem);
}

/** What people and models are told of an entry. */
export function aboutOf(
  { title, description }: {
    readonly title?: string;
    readonly description?: string;
  },
  { where, findings }: EntryContext,
): { readonly title?: string; readonly description?: string } {
  if (title !== undefined) {
    check(findings, `${where}.title`, textProblem(title, MAX_TITLE));
  }
  if (description !== undefined) {
    const problem = textProblem(description, MAX_DESCRIPTION);
    check(findings, `${where}.description`, problem);
  }
  return {
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
  };
}

/** What clients see of a resource. */
export function resourceInfo(
  spec: Partial<ResourceInfo>,
  context: EntryContext,
): ResourceInfo {
  const { where, findings } = context;
  const { name = "", mimeType } = spec;
  check(
    findings,
    `${where}.name`,
    name === "" ? "is missing" : textProblem(name, MAX_TITLE),
  );
  if (mimeType !== undefined) {
    check(findings, `${where}.mimeType`, mimeTypeProblem(mimeType));
  }
  return {
    name,
    ...aboutOf(spec, context),
    ...(mimeType !== undefined && { mimeType }),
  };
}

/** Reads a template. */
export function templateOf(
  text: string,
  where: string,
  findings: Findings,
): UriTemplate | undefined {
  try {
    return new UriTemplate(text);
  } catch (error) {
    findings.add(where, `is no URI template: ${reasonOf(error)}`);
    return undefined;
  }
}

/** An export that takes messages; undefined, if there is no such one. */
export function handlerOf(
  name: string | undefined,
  member: string,
  { where, findings, guest }: EntryContext,
): string | undefined {
  if (name === undefined) {
    findings.add(where, `needs a ${member}`);
    return undefined;
  }
  // that there is no guest is told elsewhere
  if (guest === undefined) return undefined;
  const names = guest.exports.filter(({ kind }) => kind === "function")
    .map((each) => each.name);
  if (names.includes(name)) return name;
  const near = nearest(name, names);
  findings.add(
    `${where}.${member}`,
    `is ${quote(name)}, which the module does not export` +
      (near === undefined ? "" : ` (did you mean ${quote(near)}?)`),
  );
  return undefined;
}

/** The export that completes arguments, if one is named. */
export function completeOf(
  name: string | undefined,
  context: EntryContext,
): string | undefined {
  return name === undefined ? undefined : handlerOf(name, "complete", context);
}

/** Compiles a schema of objects; undefined, if it does not compile. */
export async function schemaOf(
  given: unknown,
  where: string,
  findings: Findings,
): Promise<
  | {
    readonly validate: Validator;
    readonly schema: McpToolInfo["inputSchema"];
  }
  | undefined
> {
  try {
    if (!isObjectSchema(given)) {
      throw new TypeError('#/type is not "object", as it must be');
    }
    const { schema, validate } = await compileSchema(given);
    return { schema: schema.schema, validate };
  } catch (error) {
    findings.add(where, `does not compile: ${reasonOf(error)}`);
    return undefined;
  }
}
