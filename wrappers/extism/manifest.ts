/**
 * Reads manifests, in either spelling.
 *
 * @module
 */

import { nearest, quote } from "../../_text.ts";
import type { ManifestLike, ManifestWasm } from "./types.ts";

/** A directory, and where the plug-in sees it. */
export interface AllowedPath {
  /** Path that the plug-in sees. */
  readonly guest: string;
  /** The host's directory. */
  readonly host: string;
  /** Whether it is only read. */
  readonly isReadOnly: boolean;
}

/** A manifest, read and checked. What is not said in it is undefined. */
export interface PlainManifest {
  /** The modules. */
  readonly wasm: readonly ManifestWasm[];
  /** What the plug-in is configured with. */
  readonly config: Readonly<Record<string, string>> | undefined;
  /** Hosts that it may make requests to. */
  readonly allowedHosts: readonly string[] | undefined;
  /** Directories. */
  readonly allowedPaths: readonly AllowedPath[] | undefined;
  /** Longest time of a call; null for no end. */
  readonly timeoutMs: number | null | undefined;
  /** Most pages of what host and plug-in hand each other. */
  readonly maxPages: number | undefined;
  /** Most pages of all, as the native SDKs count. */
  readonly maxNativePages: number | undefined;
  /** Most bytes of one response by HTTP. */
  readonly maxHttpResponseBytes: number | undefined;
  /** Most bytes of the values of all variables. */
  readonly maxVarBytes: number | undefined;
}

/** Longest manifest as text; it may hold modules. */
const MAX_TEXT = 128 * 2 ** 20;

const FIELDS = [
  "wasm",
  "config",
  "allowedHosts",
  "allowedPaths",
  "timeoutMs",
  "memory",
];
const MEMORY_FIELDS = ["maxPages", "maxHttpResponseBytes", "maxVarBytes"];
const WASM_FIELDS = [
  "data",
  "path",
  "url",
  "method",
  "headers",
  "response",
  "module",
  "name",
  "hash",
];

/** What is fetched with. */
export interface ManifestContext {
  /** Fetches. */
  readonly fetch: typeof fetch;
  /** Cancels it. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Reads what a plug-in is made from.
 *
 * @param candidate A manifest, or what stands for one.
 * @param context What is fetched with.
 * @returns The manifest.
 * @throws {TypeError} If it is none; says why.
 */
export async function readManifest(
  candidate: ManifestLike,
  context: ManifestContext,
): Promise<PlainManifest> {
  if (typeof candidate === "string") return await readText(candidate, context);
  if (candidate instanceof ArrayBuffer) return only({ data: candidate });
  if (ArrayBuffer.isView(candidate)) return readBytes(candidate);
  if (candidate instanceof URL) {
    return await readUrl(candidate, context);
  }
  if (candidate instanceof Response) return await readResponse(candidate);
  if ((candidate as unknown) instanceof WebAssembly.Module) {
    throw compiled({});
  }
  return readObject(candidate);
}

/**
 * The error of a module that is compiled already.
 *
 * @param item What a manifest says of it.
 * @returns The error.
 */
export function compiled({ hash }: Pick<ManifestWasm, "hash">): TypeError {
  const why = hash === undefined
    ? "limits are put into a module's bytes"
    : "Item specified a hash but WebAssembly.Module source data is " +
      "unavailable for hashing";
  return new TypeError(
    `Cannot make a plug-in of a WebAssembly.Module: ${why}, and it does not ` +
      "give them back (pass the bytes, a path or a URL)",
  );
}

function only(item: ManifestWasm): PlainManifest {
  return { ...NOTHING, wasm: [item] };
}

const NOTHING: PlainManifest = Object.freeze({
  wasm: [],
  config: undefined,
  allowedHosts: undefined,
  allowedPaths: undefined,
  timeoutMs: undefined,
  maxPages: undefined,
  maxNativePages: undefined,
  maxHttpResponseBytes: undefined,
  maxVarBytes: undefined,
});

async function readText(
  text: string,
  context: ManifestContext,
): Promise<PlainManifest> {
  if (/^\s*\{/.test(text)) return readJson(text);
  if (/^(?:https?|file|data):/i.test(text)) {
    return await readUrl(new URL(text), context);
  }
  return only({ path: text });
}

/** Bytes are a module, or the text of a manifest. */
function readBytes(bytes: Uint8Array): PlainManifest {
  const isText = bytes[0] === 0x7b || bytes[0] === 0x0a || bytes[0] === 0x20;
  if (!isText) return only({ data: bytes });
  return readJson(new TextDecoder().decode(bytes));
}

async function readUrl(
  url: URL,
  { fetch, signal }: ManifestContext,
): Promise<PlainManifest> {
  // a file has no type, and is read without the right to the network
  if (url.protocol === "file:" && !url.pathname.endsWith(".json")) {
    return only({ url });
  }
  const init = signal === undefined ? {} : { signal };
  return await readResponse(await fetch(url, init));
}

async function readResponse(response: Response): Promise<PlainManifest> {
  const type = response.headers.get("content-type") ??
    "application/octet-stream";
  switch (type.split(";")[0]?.trim().toLowerCase()) {
    case "application/octet-stream":
    case "application/wasm":
      return only({ response });
    case "application/json":
    case "text/json":
      return readJson(await response.text());
    default:
      await response.body?.cancel();
      throw new TypeError(
        `Cannot make a plug-in of ${
          quote(response.url)
        }: its content-type is ` +
          `${quote(type)} (expected content-type of "application/wasm", ` +
          '"application/octet-stream", "application/json" or "text/json")',
      );
  }
}

function readJson(text: string): PlainManifest {
  if (text.length > MAX_TEXT) {
    throw wrong(`it has ${text.length} characters`, `at most ${MAX_TEXT}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new TypeError("Cannot read the manifest: it is no JSON", { cause });
  }
  return readObject(value);
}

function readObject(value: unknown): PlainManifest {
  const { fields, isNative } = fieldsOf(value, FIELDS, "the manifest");
  const wasm = fields.get("wasm");
  if (wasm === undefined) throw wrong('Expected "wasm" key in manifest', "one");
  if (!Array.isArray(wasm)) {
    throw wrong('Expected "manifest.wasm" to be array', "modules");
  }
  const memory = fieldsOf(fields.get("memory") ?? {}, MEMORY_FIELDS, "memory");
  const pages = count(memory.fields, "maxPages");
  const native = memory.isNative.has("maxPages");
  return {
    wasm: wasm.map(readItem),
    config: texts(fields, "config"),
    allowedHosts: readHosts(fields.get("allowedHosts")),
    allowedPaths: readPaths(
      texts(fields, "allowedPaths"),
      isNative.has("allowedPaths"),
    ),
    timeoutMs: count(fields, "timeoutMs"),
    maxPages: native ? undefined : pages,
    maxNativePages: native ? pages : undefined,
    maxHttpResponseBytes: count(memory.fields, "maxHttpResponseBytes"),
    maxVarBytes: count(memory.fields, "maxVarBytes"),
  };
}

function readItem(item: unknown, index: number): ManifestWasm {
  const { fields } = fieldsOf(item, WASM_FIELDS, `wasm[${index}]`);
  const sources = ["data", "path", "url", "response", "module"]
    .filter((name) => fields.has(name));
  if (sources.length !== 1) {
    throw wrong(
      `wasm[${index}] has ${
        sources.length === 0 ? "no" : "more than one"
      } source`,
      'either a "data", "url", or "path" key',
    );
  }
  for (const name of ["name", "hash", "path", "method"]) {
    const value = fields.get(name);
    if (value === undefined || typeof value === "string") continue;
    throw wrong(`wasm[${index}].${name} is no text`, "text");
  }
  return Object.fromEntries(fields) as ManifestWasm;
}

/** The fields that are there, by the names that the JavaScript SDK has. */
function fieldsOf(
  value: unknown,
  known: readonly string[],
  where: string,
): {
  readonly fields: ReadonlyMap<string, unknown>;
  /** Those that were in the spelling of the native SDKs. */
  readonly isNative: ReadonlySet<string>;
} {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw wrong(`${where} is no object`, "an object");
  }
  const fields = new Map<string, unknown>();
  const isNative = new Set<string>();
  for (const [written, field] of Object.entries(value)) {
    const name = camelCase(written);
    if (!known.includes(name)) {
      const near = nearest(name, known);
      throw wrong(
        `${where} has ${quote(written)}, which nobody knows`,
        near === undefined ? known.join(", ") : `did you mean ${quote(near)}?`,
      );
    }
    if (field === undefined || field === null) continue;
    if (fields.has(name)) {
      throw wrong(
        `${where} has ${quote(name)} in two spellings`,
        "one of them",
      );
    }
    fields.set(name, field);
    if (name !== written) isNative.add(name);
  }
  return { fields, isNative };
}

function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function count(
  fields: ReadonlyMap<string, unknown>,
  name: string,
): number | undefined {
  const value = fields.get(name);
  if (value === undefined) return undefined;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) {
    return value;
  }
  throw wrong(`${name} is ${quote(String(value))}`, "a whole number from 0");
}

function texts(
  fields: ReadonlyMap<string, unknown>,
  name: string,
): Readonly<Record<string, string>> | undefined {
  const value = fields.get(name);
  if (value === undefined) return undefined;
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    const entries = Object.entries(value);
    if (entries.every(([, text]) => typeof text === "string")) {
      const copy: Record<string, string> = Object.create(null);
      for (const [key, text] of entries) copy[key] = text;
      return Object.freeze(copy);
    }
  }
  throw wrong(`${name} is not what it must be`, "text for each of its keys");
}

function readHosts(value: unknown): readonly string[] | undefined {
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.every((host) => typeof host === "string")) {
    return [...value];
  }
  throw wrong("allowedHosts is no list of texts", "names of hosts");
}

const READ_ONLY = "ro:";

/**
 * Reads paths: by the plug-in's, or by the host's as native SDKs have them.
 *
 * @param paths The pairs.
 * @param isNative Whether the host's path comes first.
 * @returns The directories.
 */
export function readPaths(
  paths: Readonly<Record<string, string>> | undefined,
  isNative: boolean,
): readonly AllowedPath[] | undefined {
  if (paths === undefined) return undefined;
  return Object.entries(paths).map(([key, value]) => {
    const [written, guest] = isNative ? [key, value] : [value, key];
    const isReadOnly = written.startsWith(READ_ONLY);
    const host = isReadOnly ? written.slice(READ_ONLY.length) : written;
    if (guest.startsWith("/") && host !== "") {
      return { guest, host, isReadOnly };
    }
    throw wrong(
      `the plug-in would see ${quote(host)} at ${quote(guest)}`,
      "an absolute path for the plug-in: allowedPaths has it first, " +
        "allowed_paths has the host's path first",
    );
  });
}

function wrong(problem: string, expected: string): TypeError {
  return new TypeError(`Cannot read the manifest: ${problem} (${expected})`);
}
