/**
 * Finds libwasmtime: where the caller or the environment says, in the cache of
 * this package, or where systems keep libraries. Nothing here asks for a
 * permission: what cannot be looked at without asking is passed over and told.
 *
 * @module
 */

import { quote } from "../../_text.ts";
import type { SandboxError } from "../../errors.ts";
import { PINNED_VERSIONS } from "./checksums.ts";
import {
  cacheFolder,
  HOW_TO_GET,
  LIBRARY_VARIABLE,
  libraryInCache,
  PLACE_VARIABLES,
  type PlaceVariables,
  platformOf,
  systemPlaces,
} from "./places.ts";
import { unavailable } from "./unavailable.ts";
import { isCutOff, isPinnedFile } from "./verify.ts";

/** Where a library was found. */
export interface FoundLibrary {
  /** Its path, absolute. */
  readonly path: string;
  /** What led to it. */
  readonly foundBy: "option" | "environment" | "cache" | "system";
  /** Its version, where its place tells. */
  readonly version?: string;
}

/** Options of {@linkcode findLibrary}. */
export interface FindLibraryOptions {
  /** Path or `file:` URL of the library. Nothing else is looked at then. */
  library?: string | URL;
}

/**
 * Finds the library of Wasmtime.
 *
 * @param options The library, if it is known.
 * @returns Where it is, and what led there. A library that was named and that
 * may not be read is taken as it is.
 * @throws {SandboxError} With code `runtime-unavailable`, if there is none, or
 * one that is broken or is not where it was named.
 * @throws {TypeError} If the option is no path and no `file:` URL.
 */
export async function findLibrary(
  { library }: FindLibraryOptions = {},
): Promise<FoundLibrary> {
  if (library !== undefined) {
    const path = pathOf(library);
    await demand(path, "the option `library`");
    return { path: await absolute(path), foundBy: "option" };
  }
  const named = await variable(LIBRARY_VARIABLE);
  if (named) {
    await demand(named, LIBRARY_VARIABLE);
    return { path: await absolute(named), foundBy: "environment" };
  }
  return await search();
}

/**
 * Checks that a library out of the cache is, byte for byte, what was installed:
 * one whose bytes have changed may do anything. Takes some 70 ms, once for each
 * process. Of other libraries nothing is known, and nothing is checked.
 *
 * @param found The library.
 * @throws {SandboxError} With code `runtime-unavailable`, if it is not.
 */
export async function requireIntact(
  { path, foundBy, version = "" }: FoundLibrary,
): Promise<void> {
  const platform = platformOf();
  if (foundBy !== "cache" || platform === undefined) return;
  const pinned = PINNED_VERSIONS[version]?.libraries[platform];
  if (pinned !== undefined && await isPinnedFile(path, pinned)) return;
  throw unavailable(
    `the library ${quote(path)} is not what was installed`,
    "install it once more with `backends install wasmtime`, or remove it",
  );
}

/** A place that nobody named. */
interface Candidate {
  readonly found: FoundLibrary;
  /** How long the library must be there, if that is known. */
  readonly bytes?: number;
}

/** Looks through the places that nobody named. */
async function search(): Promise<FoundLibrary> {
  const folder = cacheFolder(await placeVariables());
  const hidden: string[] = [];
  for (const { found, bytes } of candidates(folder)) {
    const state = await stateOf(found.path, bytes);
    if (state === "broken") throw broken(found.path);
    if (state === "file") return found;
    if (state === "hidden") hidden.push(found.path);
  }
  throw unavailable(await notFound(folder, hidden), HOW_TO_GET);
}

function* candidates(folder: string | undefined): Iterable<Candidate> {
  const platform = platformOf();
  if (folder !== undefined && platform !== undefined) {
    for (const [version, { libraries }] of Object.entries(PINNED_VERSIONS)) {
      const path = libraryInCache(folder, version);
      const { bytes } = libraries[platform];
      yield { found: { path, foundBy: "cache", version }, bytes };
    }
  }
  for (const path of systemPlaces()) {
    yield { found: { path, foundBy: "system" } };
  }
}

async function notFound(
  folder: string | undefined,
  hidden: readonly string[],
): Promise<string> {
  const notes = ["no libwasmtime is where it is looked for"];
  if (!await mayRead(LIBRARY_VARIABLE)) {
    notes.push(`${LIBRARY_VARIABLE} may not be read: no --allow-env`);
  }
  if (folder === undefined) {
    notes.push("where the user's cache is cannot be told by the environment");
  }
  const [first] = hidden;
  if (first !== undefined) {
    const others = hidden.length - 1;
    const more = others === 0 ? "" : ` and ${others} more`;
    notes.push(`${first}${more} may not be looked at: no --allow-read`);
  }
  return notes.join("; ");
}

function broken(path: string): SandboxError {
  return unavailable(
    `the library ${quote(path)} is broken: a part of it is missing`,
    "install it once more with `backends install wasmtime`, or remove it",
  );
}

/** Refuses a library that was named and is none. */
async function demand(path: string, namedBy: string): Promise<void> {
  const state = await stateOf(path);
  if (state === "file" || state === "hidden") return;
  throw unavailable(
    `${namedBy} names ${quote(path)}, which ${PROBLEMS[state]}`,
    // to install one changes nothing, as long as another is named
    `leave ${namedBy} out to use one that is found, or let it name ` +
      `libwasmtime; ${HOW_TO_GET}`,
  );
}

const PROBLEMS = {
  missing: "does not exist",
  other: "is no file",
  broken: "is broken: a part of it is missing",
} as const;

type State = "file" | "broken" | "other" | "missing" | "hidden";

async function stateOf(path: string, bytes?: number): Promise<State> {
  const { state } = await Deno.permissions.query({ name: "read", path });
  if (state !== "granted") return "hidden";
  try {
    const { isFile, size } = await Deno.stat(path);
    if (!isFile) return "other";
    if (size !== (bytes ?? size)) return "broken";
    return await isCutOff(path) ? "broken" : "file";
  } catch (error) {
    return isHidden(error) ? "hidden" : "missing";
  }
}

/** Whether the user may not look, rather than there is nothing. */
function isHidden(error: unknown): boolean {
  return error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.NotCapable;
}

/**
 * What the environment says of where users keep files.
 *
 * @returns The variables that may be read without asking.
 */
export async function placeVariables(): Promise<PlaceVariables> {
  const entries = PLACE_VARIABLES.map(async (name) =>
    [name, await variable(name)] as const
  );
  return Object.fromEntries(
    (await Promise.all(entries)).filter(([, value]) => value !== undefined),
  );
}

async function variable(name: string): Promise<string | undefined> {
  return await mayRead(name) ? Deno.env.get(name) : undefined;
}

async function mayRead(name: string): Promise<boolean> {
  const query = { name: "env", variable: name } as const;
  return (await Deno.permissions.query(query)).state === "granted";
}

function pathOf(library: string | URL): string {
  const url = typeof library === "string" && !/^file:/i.test(library)
    ? undefined
    : new URL(library);
  if (url !== undefined && url.protocol !== "file:") {
    throw new TypeError(
      `Cannot use the library ${quote(url.href)}: it is no file: URL ` +
        "(download it first)",
    );
  }
  const path = url === undefined ? String(library) : pathOfUrl(url);
  if (path === "" || path.includes("\0")) {
    throw new TypeError(
      `Cannot use the library ${quote(path)}: it is no path of a file ` +
        "(give the path of libwasmtime)",
    );
  }
  return path;
}

function pathOfUrl(url: URL): string {
  const path = decodeURIComponent(url.pathname);
  return Deno.build.os === "windows"
    ? path.replace(/^\//, "").replaceAll("/", "\\")
    : path;
}

/** A bare name would be looked up by the system's loader, somewhere else. */
async function absolute(path: string): Promise<string> {
  if (/^(?:[/\\]|[A-Za-z]:[/\\])/.test(path)) return path;
  const { state } = await Deno.permissions.query({ name: "read", path: "." });
  return state === "granted" ? `${Deno.cwd()}/${path}` : `./${path}`;
}
