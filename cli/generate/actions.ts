/**
 * What the command `generate` does. Apart from it, since it reaches parsers that
 * other commands do not need.
 */

import { basename, resolve } from "node:path";
import { ValidationError } from "@cliffy/command";
import { printable, quote } from "../../_text.ts";
import type { JsonSchema } from "../../security/json_schema.ts";
import {
  planProject,
  type ProjectChange,
  TemplateFactory,
  writeProject,
} from "../../templates/mod.ts";
import { kebab, snake } from "../../templates/names.ts";
import type { TemplateRenderer } from "../../templates/types.ts";
import { Interruption } from "../interruption.ts";
import { created } from "../manifests.ts";
import { ProgressLine } from "../progress.ts";
import { ask, canAsk } from "../questions.ts";
import type { Session } from "../session.ts";
import { roomOf, styleOf } from "../style.ts";
import { table } from "../table.ts";
import { askConfig, askTemplate, entriesOf } from "./ask_config.ts";
import { checkConfig, type Draft, readConfig } from "./config.ts";
import { diffText } from "./diff.ts";
import { type Outcome, outcomeJson, outcomeText } from "./outcome.ts";
import type { Setting } from "./settings.ts";
import { merged, problemOf } from "./values.ts";

/** The flags of `generate`. */
export interface GenerateFlags {
  /** `--set`, each time it was given. */
  readonly set?: readonly Setting[];
  /** `--name`. */
  readonly name?: string;
  /** `--config`. */
  readonly config?: string;
  /** `--link`. */
  readonly link?: string;
  /** `--list`. */
  readonly list?: boolean;
  /** `--dry-run`. */
  readonly dryRun?: boolean;
  /** `--diff`. */
  readonly diff?: boolean;
  /** `--force`. */
  readonly force?: boolean;
  /** `--json`. */
  readonly json?: boolean;
}

/** What to generate, and where; what is left out is asked for. */
export interface Target {
  /** Name of the template. */
  readonly template?: string | undefined;
  /** The project's folder. */
  readonly directory?: string | undefined;
}

/**
 * Lists the templates.
 *
 * @param session The run of the command line.
 * @param flags Whether to print JSON.
 * @param templates The templates.
 */
export async function list(
  session: Session,
  { json }: GenerateFlags,
  templates: TemplateFactory = new TemplateFactory(),
): Promise<void> {
  const { host } = session;
  const entries = await entriesOf(templates);
  if (json) return await session.printJson({ templates: entries });
  const style = styleOf(host);
  const rows = entries.map(({ name, description }) => [
    { text: printable(name), paint: style.code },
    printable(description),
  ]);
  const lines = table(rows, { width: roomOf(host) });
  await host.stdout(lines.map((line) => `${line}\n`).join(""));
}

/**
 * Generates a project.
 *
 * @param session The run of the command line.
 * @param flags What is inserted, and whether anything is written.
 * @param target What to generate, and where.
 * @param templates The templates.
 */
export async function generate(
  session: Session,
  flags: GenerateFlags,
  target: Target,
  templates: TemplateFactory = new TemplateFactory(),
): Promise<void> {
  const { host } = session;
  if (target.directory === "") throw new ValidationError(NO_DIRECTORY);
  const asks = canAsk(host) && !flags.json;
  const template = await templateOf(session, target, templates, asks);
  const draft = await draftOf(session, flags, target, template);
  const { config } = draft;
  const answers = asks
    ? await askConfig(host, template.schema, config, !target.template)
    : {};
  const whole = { ...draft, config: merged(config, answers) };
  checkConfig(template, whole);
  const directory = target.directory ??
    await directoryOf(session, whole, asks && !target.template);
  const outcome = await produce(session, flags, template, whole, directory);
  if (flags.json) return await session.printJson(outcomeJson(outcome));
  if (flags.diff) {
    return await host.stdout(await diffText(outcome.changes, styleOf(host)));
  }
  await host.stdout(outcomeText(outcome, styleOf(host)));
}

async function templateOf(
  { host }: Session,
  { template }: Target,
  templates: TemplateFactory,
  asks: boolean,
): Promise<TemplateRenderer> {
  if (template !== undefined) {
    // names of exports have hyphens, those of templates do not
    const own = template.replaceAll("-", "_");
    return await templates.create(templates.has(own) ? own : template);
  }
  if (asks) return await templates.create(await askTemplate(host, templates));
  throw new ValidationError(
    "Cannot generate: no template is named, expected one of " +
      `${[...templates].join(", ")} (--list tells what they make)`,
  );
}

/** The config that is given, with a name after the folder if there is none. */
async function draftOf(
  session: Session,
  { set = [], name, config: file, link }: GenerateFlags,
  { directory }: Target,
  { name: template, schema }: TemplateRenderer,
): Promise<Draft> {
  const short: Setting[] = [];
  if (name !== undefined) short.push({ path: ["name"], text: name });
  if (link !== undefined) {
    if (!schema.properties?.link) {
      throw new ValidationError(`Option "--link": ${template} links nothing`);
    }
    short.push({ path: ["link"], text: placeOf(link) });
  }
  const settings = [...set, ...short];
  const draft = await readConfig(session, schema, { file, settings });
  if (directory === undefined) return draft;
  const own = schema.properties?.name;
  if (own === undefined || Object.hasOwn(draft.config, "name")) return draft;
  const suggested = nameAfter(directory, own);
  if (suggested === undefined) return draft;
  return { ...draft, config: merged(draft.config, { name: suggested }) };
}

/** What a project is called after its folder: in snake case, if it must be. */
function nameAfter(directory: string, schema: JsonSchema): string | undefined {
  const folder = basename(resolve(directory));
  return [folder, snake(folder)]
    .find((name) => problemOf(name, schema) === undefined);
}

/** A path or a file URL that is the same from everywhere. */
function placeOf(link: string): string {
  return /^file:\/\//i.test(link) ? link : resolve(link);
}

/** The folder that is not given: named as the project is. */
async function directoryOf(
  { host }: Session,
  { config }: Draft,
  asks: boolean,
): Promise<string> {
  const suggested = typeof config.name === "string" ? kebab(config.name) : "";
  if (asks) {
    return await ask(host, {
      label: "directory",
      about: "Folder to write to.",
      standard: suggested === "" ? undefined : suggested,
      read: (text) => {
        if (text !== "") return text;
        throw new ValidationError("it must have a name");
      },
    });
  }
  if (suggested !== "") return suggested;
  throw new ValidationError(
    "Cannot generate: no directory is named, and none follows from the name " +
      "(give it after the template)",
  );
}

/** Renders the files, and writes them unless nothing is to be written. */
async function produce(
  { host }: Session,
  { dryRun = false, diff = false, force = false, json }: GenerateFlags,
  template: TemplateRenderer,
  { config }: Draft,
  directory: string,
): Promise<Outcome> {
  const isDry = dryRun || diff;
  const line = new ProgressLine(host, { isShown: !json });
  const stop = new AbortController();
  using _ = host.onStop(() => stop.abort(new Interruption(NOTHING_WRITTEN)));
  try {
    line.show({ text: `rendering ${template.name}` });
    const files = await created(() => template.render(config));
    stop.signal.throwIfAborted();
    line.show({ text: `writing ${quote(directory)}` });
    const { signal } = stop;
    const changes: readonly ProjectChange[] = isDry
      ? await planProject(files, directory)
      : await writeProject(files, directory, { force, signal });
    const next = template.next?.(config) ?? [];
    return { template: template.name, directory, changes, next, isDry };
  } finally {
    await line.clear();
  }
}

const NO_DIRECTORY = "Cannot generate: the directory has no name (name one)";
const NOTHING_WRITTEN = "Interrupted: nothing was written";
