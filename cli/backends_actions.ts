/**
 * What the command `backends` does.
 *
 * @module
 */

import { ValidationError } from "@cliffy/command";
import { nearest, quote, reasonOf } from "../_text.ts";
import { SandboxError } from "../errors.ts";
import { RuntimeFactory } from "../runtime/mod.ts";
import type { Runtime } from "../runtime/types.ts";
import {
  findLibrary,
  type FoundLibrary,
  requireIntact,
} from "../runtime/wasmtime/find.ts";
import { LIBRARY_VARIABLE } from "../runtime/wasmtime/places.ts";
import {
  type InstallFrom,
  installWasmtime,
} from "../runtime/wasmtime/install.ts";
import { installProgress } from "./backends_progress.ts";
import { type Backend, backendsText } from "./backends_text.ts";
import { ProgressLine } from "./progress.ts";
import type { Session } from "./session.ts";
import { roomOf, styleOf } from "./style.ts";

/** Flags of `backends`. */
export interface ListFlags {
  /** `--json`: print JSON. */
  readonly json?: boolean;
}

/** Flags of `backends install`. */
export interface InstallFlags extends ListFlags {
  /** `--from`: where from. */
  readonly from?: InstallFrom;
  /** `--from-url`: a mirror. */
  readonly fromUrl?: string;
}

const WASMTIME = "wasmtime";

/** Engines that are not installed by this command, and why. */
const NOT_INSTALLED: Readonly<Record<string, string>> = Object.freeze({
  v8: "it is part of Deno, and always there",
  wasmer: "it is a package of npm, which Deno fetches when it is first used " +
    "(deno cache npm:@wasmer/sdk@^0.16.0 fetches it now)",
});

/**
 * Lists the engines.
 *
 * @param session The run of the command line.
 * @param flags Whether to print JSON.
 */
export async function list(
  session: Session,
  flags: ListFlags,
): Promise<void> {
  const runtimes = new RuntimeFactory();
  const backends: Backend[] = [];
  for (const name of runtimes) backends.push(await look(runtimes, name));
  if (flags.json) return await session.printJson({ backends });
  const { host } = session;
  await host.stdout(backendsText(backends, styleOf(host), roomOf(host)));
}

/** Opens an engine, looks at it and closes it. */
async function look(runtimes: RuntimeFactory, name: string): Promise<Backend> {
  try {
    const library = name === WASMTIME ? await libraryOf() : null;
    await using runtime = await runtimes.create(name);
    return {
      name,
      available: true,
      version: versionOf(runtime, library),
      library,
      features: runtime.features,
      error: null,
    };
  } catch (thrown) {
    const error = SandboxError.is(thrown, "runtime-unavailable")
      ? { reason: thrown.details.reason, suggestion: thrown.details.suggestion }
      : { reason: reasonOf(thrown), suggestion: "" };
    const nothing = { version: null, library: null, features: null };
    return { name, available: false, ...nothing, error };
  }
}

/** The library that the runtime finds too, looked through before it is opened. */
async function libraryOf(): Promise<FoundLibrary> {
  const found = await findLibrary();
  await requireIntact(found);
  return found;
}

function versionOf(
  runtime: Runtime,
  library: FoundLibrary | null,
): string | null {
  if (runtime.name === "v8") return Deno.version.v8;
  if (library?.version !== undefined) return library.version;
  return "version" in runtime && typeof runtime.version === "string"
    ? runtime.version
    : null;
}

/**
 * Installs an engine.
 *
 * @param session The run of the command line.
 * @param flags Where from.
 * @param wanted Its name, and its version behind an `@`.
 */
export async function install(
  session: Session,
  { json, from, fromUrl }: InstallFlags,
  wanted: string,
): Promise<void> {
  const [, backend = wanted, version] = /^([^@]*)@(.*)$/.exec(wanted) ?? [];
  if (backend !== WASMTIME) throw cannotInstall(backend);
  if (fromUrl !== undefined && from === "pip") {
    throw new ValidationError("--from-url and --from pip exclude each other");
  }
  const { host } = session;
  const line = new ProgressLine(host, { isShown: !json });
  try {
    const installed = await installWasmtime({
      from: from ?? (fromUrl === undefined ? "auto" : "archive"),
      ...(fromUrl === undefined ? {} : { baseUrl: fromUrl }),
      ...(version === undefined ? {} : { version }),
      onProgress: (progress) => line.show(installProgress(progress)),
    });
    await line.clear();
    if (json) return await session.printJson({ backend, ...installed });
    const { path, version: of, from: source } = installed;
    const outcome = source === "cache" ? "is there already" : "is installed";
    await host.stdout(`${backend} ${of} ${outcome}: ${path}\n`);
    const why = await whyUnused(path);
    if (why !== undefined) await host.stderr(`hint: it is not used: ${why}\n`);
  } finally {
    await line.clear();
  }
}

/** Why another library is used than the one that was installed, if so. */
async function whyUnused(installed: string): Promise<string | undefined> {
  try {
    const { path, foundBy } = await findLibrary();
    if (path === installed) return undefined;
    return foundBy === "environment"
      ? `${LIBRARY_VARIABLE} names ${quote(path)} (unset it)`
      : `${quote(path)} is found first (name the other by ${LIBRARY_VARIABLE})`;
  } catch (error) {
    // what was named and is not usable ends the search
    return SandboxError.is(error, "runtime-unavailable")
      ? error.details.reason
      : reasonOf(error);
  }
}

function cannotInstall(backend: string): ValidationError {
  const reason = Object.hasOwn(NOT_INSTALLED, backend)
    ? NOT_INSTALLED[backend]
    : undefined;
  if (reason !== undefined) {
    return new ValidationError(`Nothing to install for ${backend}: ${reason}`);
  }
  const names = [WASMTIME, ...Object.keys(NOT_INSTALLED)];
  const near = nearest(backend, names);
  return new ValidationError(
    `Cannot install ${quote(backend)}: there is no such engine (${
      near === undefined
        ? `${WASMTIME} can be installed`
        : `did you mean ${quote(near)}?`
    })`,
  );
}
