/** What the templates of applications share. */

import type { JsonSchema } from "../../security/json_schema.ts";
import { formatSize, parseSize } from "../../security/units.ts";
import { HandlebarsTemplate } from "../handlebars_template.ts";
import type { TemplateConfig } from "../types.ts";
import DENO_JSON from "./application/deno.json.hbs" with { type: "text" };
import POLICY from "./application/policy.yaml.hbs" with { type: "text" };
import { compileCommand, JSON_LIBRARY, LIBRARY } from "./assemblyscript.ts";
import { LINK_PROPERTY, projectImports } from "./imports.ts";
import { joined, modulePlace } from "./module.ts";

/** What lies beside a guest. */
const LIBRARIES = { "wasm_sandbox.ts": LIBRARY };

/** The same, for guests that talk in JSON. */
export const JSON_LIBRARIES: Readonly<Record<string, string>> = {
  "json.ts": JSON_LIBRARY,
  ...LIBRARIES,
};

/** What a template of an application is made from. */
export interface ApplicationOptions {
  /** Its name, which is that of a wrapper where there is one. */
  readonly name: string;
  /** What it makes, in a sentence. */
  readonly description: string;
  /** What an application is called if nobody says. */
  readonly example: string;
  /** What a module of the user's own must be. */
  readonly module: string;
  /** Limits, if nobody says. */
  readonly limits: ApplicationLimits;
  /** What else the config holds. */
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  /** The main file, which also exports what the test works on. */
  readonly main: string;
  /** The test. */
  readonly test: string;
  /** The page about it. */
  readonly readme: string;
  /** The guest, and further files. */
  readonly guest: ApplicationGuest;
  /** Permissions of the main file, beside that to read its own folder. */
  readonly startFlags?: (config: TemplateConfig) => readonly string[];
  /** Permissions of the test, likewise. */
  readonly testFlags?: readonly string[];
  /**
   * Whether its test uses the official SDK for MCP.
   *
   * @default {false}
   */
  readonly usesSdk?: boolean;
  /** What else is inserted. */
  readonly derive?: (config: TemplateConfig) => TemplateConfig;
}

/** What a guest of an application may use. */
export interface ApplicationLimits {
  /** Linear memory. */
  readonly memoryBytes: number;
  /** Time of a call. */
  readonly timeoutMs: number;
}

/** How an application's own guest is made. */
export interface ApplicationGuest {
  /** Its text, in AssemblyScript. */
  readonly source: string;
  /**
   * Files beside it, by name.
   *
   * @default {the library of the guest ABI}
   */
  readonly libraries?: Readonly<Record<string, string>>;
  /** Its name, if that is another than `guest`. */
  readonly name?: string;
  /** Where the module is written to, if not beside the main file. */
  readonly folder?: string;
  /** Further flags of the compiler. */
  readonly flags?: readonly string[];
}

/**
 * Makes the template of an application: a project that runs a guest of its own,
 * or a module that there is.
 *
 * @param options What differs between applications.
 * @returns The template.
 */
export function applicationTemplate(
  options: ApplicationOptions,
): HandlebarsTemplate {
  const { name, description, main, test, readme } = options;
  return new HandlebarsTemplate({
    name,
    description,
    schema: schemaOf(options),
    files: {
      "deno.json": DENO_JSON,
      "policy.yaml": POLICY,
      "main.ts": main,
      "main_test.ts": test,
      ...guestFiles(options.guest),
      "README.md": readme,
    },
    derive: (config) => valuesOf(config, options),
    next: () => ["deno task test", "deno task start"],
  });
}

function schemaOf(
  { example, limits, module, properties }: ApplicationOptions,
): JsonSchema {
  return {
    type: "object",
    properties: {
      name: {
        description: "What it is called: any text.",
        type: "string",
        minLength: 1,
        default: example,
      },
      module: {
        description: `Path or URL of ${module}. Without it a guest is written.`,
        type: "string",
        minLength: 1,
        format: "path",
      },
      ...properties,
      limits: limitsSchema(limits),
      link: LINK_PROPERTY,
    },
    additionalProperties: false,
  };
}

function limitsSchema(
  { memoryBytes, timeoutMs }: ApplicationLimits,
): JsonSchema {
  return {
    description: "What the guest may use at the most.",
    type: "object",
    properties: {
      memoryBytes: {
        description: "Its linear memory.",
        type: "integer",
        format: "bytes",
        minimum: 2 ** 16,
        maximum: 2 ** 32,
        default: memoryBytes,
      },
      timeoutMs: {
        description: "Time of one call.",
        type: "integer",
        format: "milliseconds",
        minimum: 1,
        maximum: 2 ** 31 - 1,
        default: timeoutMs,
      },
    },
    additionalProperties: false,
  };
}

/** Files that are written where there is no module yet. */
function guestFiles(
  { source, name = "guest", folder, libraries = LIBRARIES }: ApplicationGuest,
): Record<string, string> {
  const own = { [`${name}.ts`]: source, ...libraries };
  return Object.fromEntries([
    ...Object.entries(own).map(([path, text]) => [`assembly/${path}`, text]),
    [".gitignore", `${folder ?? ""}*.wasm\n`],
  ].map(([path, text]) => [path, `{{#unless module}}${text}{{/unless}}`]));
}

function valuesOf(
  config: TemplateConfig,
  options: ApplicationOptions,
): TemplateConfig {
  const { memoryBytes, timeoutMs } = config.limits as ApplicationLimits;
  const { usesSdk = false } = options;
  const sdk = ["@modelcontextprotocol/sdk"] as const;
  return {
    ...projectImports(config, [...(usesSdk ? sdk : []), "@std/assert"]),
    usesSdk,
    memory: sizeText(memoryBytes),
    timeout: timeText(timeoutMs),
    isUrl: modulePlace(config.module).isUrl,
    tasks: tasksOf(config, options),
    ...options.derive?.(config),
  };
}

function tasksOf(
  config: TemplateConfig,
  { guest, startFlags, testFlags = [] }: ApplicationOptions,
): TemplateConfig {
  const { name = "guest", folder = "", flags = [] } = guest;
  const { flags: module } = modulePlace(config.module);
  const own = startFlags?.(config) ?? [];
  const start = ["deno run", ...joined([...module, ...own]), "main.ts"];
  const test = ["deno test", ...joined([...module, ...testFlags])];
  if (config.module !== null) {
    return { build: null, start: start.join(" "), test: test.join(" ") };
  }
  const target = `${folder}${name}.wasm`;
  const first = "deno task build && ";
  return {
    build: compileCommand(`assembly/${name}.ts`, target, flags),
    start: first + start.join(" "),
    test: first + test.join(" "),
  };
}

/** A time as people write it: in seconds, if they are whole. */
function timeText(ms: number): string {
  return ms % 1_000 === 0 ? `${ms / 1_000}s` : `${ms}ms`;
}

/** As people write it, if that is the same. */
function sizeText(bytes: number): string {
  const text = formatSize(bytes).replaceAll(" ", "");
  try {
    return parseSize(text) === bytes ? text : String(bytes);
  } catch {
    return String(bytes);
  }
}
