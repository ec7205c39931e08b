/**
 * Makes the modules of the examples that are not kept beside their sources.
 *
 * @module
 */

import { packScript } from "./quickjs/pack.ts";

/** The examples: a C program, a Go program, and a script for QuickJS. */
export const LANGUAGES = ["c", "go", "js"] as const;

/** One of them. */
export type Language = typeof LANGUAGES[number];

const APPS = new URL("./", import.meta.url);
/** Where the manifests look for what is made. */
const BUILT = new URL("../../.cache/apps/", import.meta.url);

/**
 * Makes the module of an example, if it has to be made.
 *
 * @param language Whose.
 * @returns Where it is; undefined if it needs a compiler that is not there.
 * @throws {Error} If it cannot be made.
 */
export async function buildApp(language: Language): Promise<URL | undefined> {
  switch (language) {
    case "c":
      return new URL("c/mdtext.wasm", APPS);
    case "go":
      return await hasGo() ? await buildGo() : undefined;
    case "js":
      return await buildScript();
  }
}

async function buildScript(): Promise<URL> {
  const script = await Deno.readTextFile(new URL("js/calc.js", APPS));
  const module = new URL("calc.wasm", BUILT);
  await put(module, await packScript(script));
  return module;
}

/** Writes a file at once: whoever opens it meanwhile reads the one before. */
async function put(url: URL, bytes: Uint8Array): Promise<void> {
  await Deno.mkdir(BUILT, { recursive: true });
  const draft = draftOf(url);
  await Deno.writeFile(draft, bytes);
  await Deno.rename(draft, url);
}

/** A name that nobody else has: tests may make the same file at a time. */
function draftOf({ href }: URL): URL {
  return new URL(`${href}.${crypto.randomUUID()}`);
}

async function hasGo(): Promise<boolean> {
  try {
    return (await new Deno.Command("go", { args: ["version"] }).output())
      .success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function buildGo(): Promise<URL> {
  const script = new URL("go/build.sh", APPS);
  const module = new URL("csvjson.wasm", BUILT);
  const draft = draftOf(module);
  await Deno.mkdir(BUILT, { recursive: true });
  const { success, stderr } = await new Deno.Command("bash", {
    args: [script.pathname, draft.pathname],
  }).output();
  if (!success) {
    throw new Error(
      `Cannot build csvjson: ${new TextDecoder().decode(stderr)}`,
    );
  }
  await Deno.rename(draft, module);
  return module;
}
