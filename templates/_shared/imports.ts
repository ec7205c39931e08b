/** Where generated projects have the package from. */

import CONFIG from "../../deno.json" with { type: "json" };
import type { JsonSchema } from "../../security/json_schema.ts";
import type { TemplateConfig } from "../types.ts";

/** Stand-ins for packages of JSR, which a checkout brings for networks without. */
const STAND_INS = "tests/npm_only/";

/** Longest configuration of a checkout. */
const MAX_BYTES = 2 ** 20;

/** The part of a Deno configuration that is read here. */
interface Configuration {
  readonly name: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly imports: Readonly<Record<string, string>>;
}

/** What a configuration says of imports. */
export interface ProjectImports extends TemplateConfig {
  /** Where each import comes from. */
  readonly imports: Readonly<Record<string, string>>;
  /** The same for files in some places; null, if there is nothing to say. */
  readonly scopes: Readonly<Record<string, object>> | null;
}

/** The property `link`, for schemas of templates. */
export const LINK_PROPERTY: JsonSchema = {
  description:
    "A checkout of the package that is imported in place of JSR's: " +
    "an absolute path or a file URL.",
  type: "string",
  format: "path",
};

/**
 * Tells what a generated project imports.
 *
 * @param config The config, of which `link` is looked at.
 * @param others Further packages, of those that this package imports itself.
 * @returns What its configuration says.
 * @throws {TypeError} If `link` is no checkout.
 */
export function projectImports(
  { link }: TemplateConfig,
  others: readonly (keyof typeof CONFIG.imports)[] = [],
): ProjectImports {
  const targets = others.map((name) => [name, CONFIG.imports[name]]);
  if (typeof link === "string") {
    return linkedImports(checkoutUrl(link), Object.fromEntries(targets));
  }
  const { name, version } = CONFIG;
  return {
    imports: {
      ...Object.fromEntries(targets),
      [name]: `jsr:${name}@^${version}`,
    },
    scopes: null,
  };
}

/** The folder of a checkout, as a URL that ends in a slash. */
export function checkoutUrl(link: string): URL {
  const path = link.replaceAll("\\", "/").replace(/\/+$/, "");
  try {
    if (/^file:/i.test(link)) return folderUrl(`${path}/`);
    if (!/^(?:[A-Za-z]:)?\//.test(path)) throw new TypeError("it is relative");
    const encoded = path.split("/").map((segment) =>
      /^[A-Za-z]:$/.test(segment) ? segment : encodeURIComponent(segment)
    ).join("/");
    return new URL(`file:///${encoded.replace(/^\/+/, "")}/`);
  } catch (cause) {
    throw noCheckout(link, cause);
  }
}

/** No other machine's folder, which to ask for tells it who asks. */
function folderUrl(text: string): URL {
  const url = new URL(text);
  if (url.host === "" && url.search === "" && url.hash === "") return url;
  throw new TypeError("it is more than a path");
}

function linkedImports(
  root: URL,
  others: Readonly<Record<string, string>>,
): ProjectImports {
  const { name, exports, imports } = readConfiguration(root);
  const urlOf = (path: string) => new URL(path, root).href;
  const own = Object.entries(exports).map(([entry, file]) => [
    `${name}${entry.slice(1)}`,
    urlOf(file),
  ]);
  const standIns = Object.fromEntries(
    Object.entries(imports)
      .filter(([, target]) => target.startsWith("jsr:"))
      .map(([each]) => [each, `${STAND_INS}${each.split("/").at(-1)}.ts`])
      .filter(([, file = ""]) => exists(new URL(file, root)))
      .map(([each, file = ""]) => [each, urlOf(file)]),
  );
  // Deno gives the files of a checkout the imports of the checkout itself; what
  // is said of the folders within comes before that
  const folders = new Set(
    Object.values(exports).map((file) => file.split("/")[1] ?? "")
      .filter((folder) => !folder.endsWith(".ts")),
  ).add("cli");
  const scopes = [...folders].map((folder) => [urlOf(`${folder}/`), standIns]);
  return {
    imports: { ...others, ...Object.fromEntries(own), ...standIns },
    scopes: Object.keys(standIns).length === 0
      ? null
      : Object.fromEntries(scopes),
  };
}

function readConfiguration(root: URL): Configuration {
  const url = new URL("deno.json", root);
  let config: Partial<Configuration>;
  try {
    // neither a pipe, which may never end, nor more than anybody writes
    const { isFile, size } = Deno.statSync(url);
    if (!isFile || size > MAX_BYTES) throw new TypeError("it is no text");
    config = JSON.parse(Deno.readTextFileSync(url));
  } catch (cause) {
    throw noCheckout(root.href, cause);
  }
  const { name, exports, imports } = config ?? {};
  if (name === CONFIG.name && isTable(exports) && isTable(imports)) {
    const isWithin = (file: string) =>
      new URL(file, root).href.startsWith(root.href);
    if (Object.values(exports).every(isWithin)) {
      return { name, exports, imports };
    }
  }
  throw noCheckout(root.href);
}

/** An object whose values are texts. */
function isTable(value: unknown): value is Readonly<Record<string, string>> {
  return typeof value === "object" && value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((each) => typeof each === "string");
}

function exists(url: URL): boolean {
  try {
    return Deno.statSync(url).isFile;
  } catch {
    return false;
  }
}

function noCheckout(link: string, cause?: unknown): TypeError {
  return new TypeError(
    `link is ${JSON.stringify(link)}, which is no checkout of ${CONFIG.name} ` +
      "(give its absolute path)",
    { cause },
  );
}
