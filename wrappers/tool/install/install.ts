import { quote, reasonOf } from "../../../_text.ts";
import { SandboxError } from "../../../errors.ts";
import type { OperationOptions } from "../../../runtime/types.ts";
import { readSource } from "../../../runtime/v8/source.ts";
import { resolveLimits } from "../../../security/limits.ts";
import { sha256 } from "../../sha256.ts";
import type { CliToolOptions } from "../types.ts";
import { launcherText, ownCli } from "./launcher.ts";
import { permissionFlags } from "./permissions.ts";
import { cannot, FILES, kindOf, type Places, placesOf } from "./places.ts";
import { installedTool, type InstallRecord } from "./record.ts";
import type { InstalledTool, InstallToolOptions } from "./types.ts";
import { checkRemovable, removeFile } from "./uninstall.ts";

/** Everything that an install writes. */
interface Parts {
  readonly module: Uint8Array<ArrayBuffer>;
  readonly manifest: string;
  readonly launcher: string;
  readonly record: InstallRecord;
}

/**
 * Installs a WASI program as a command, with its policy: a script that starts Deno
 * with the permissions that the policy needs and no others. Module and manifest
 * are copied; the module's SHA-256 is pinned, and looked at each time that the
 * command starts. All of it is there in the end, or nothing.
 *
 * @example Usage
 * ```ts
 * import { installTool, uninstallTool } from "@wasm-sandbox/core/cli-tool";
 * import { assertEquals } from "@std/assert";
 *
 * const directory = await Deno.makeTempDir();
 * const tool = await installTool({
 *   manifest: "examples/apps/c/tool.yaml",
 *   directory,
 * });
 * assertEquals(tool.name, "mdtext");
 * await uninstallTool(tool);
 * await Deno.remove(directory);
 * ```
 *
 * @param options What is installed, and where.
 * @param operation Cancellation.
 * @returns What was installed.
 * @throws {TypeError} If it cannot be called so, or its policy cannot be said in
 * permissions of Deno.
 * @throws {SandboxError} With code `install-failed` if something is there already,
 * or cannot be written; as `readManifestFile` and `CliTool.create` do, if the tool
 * does not work.
 */
export async function installTool(
  options: InstallToolOptions,
  operation: OperationOptions = {},
): Promise<InstalledTool> {
  const { force = false } = options;
  const tool = await readTool(options.manifest);
  const places = placesOf({
    name: options.name ?? nameOf(tool, options.manifest),
    directory: await realDirectory(options.directory),
  });
  if (force) await checkRemovable(places, { force });
  else await checkFree(places);
  const parts = await partsOf(tool, places, options, operation);
  if (force) await replace(places, parts);
  else await write(places, parts);
  return installedTool(places, parts.record);
}

async function readTool(manifest: string): Promise<CliToolOptions> {
  // reaches a parser of YAML, which programs that only run tools do not need
  const { readManifestFile } = await import("../../manifest/mod.ts");
  const { type, options } = await readManifestFile(manifest);
  if (type !== "cli_tool") {
    throw new TypeError(
      `Cannot install ${quote(manifest)}: it is the manifest of ${type}, ` +
        "expected one of cli_tool",
    );
  }
  const tool = options as unknown as CliToolOptions;
  const { linked, runtime = "v8" } = tool;
  if (linked !== undefined) {
    throw new TypeError(
      `Cannot install ${
        quote(manifest)
      }: it has linked modules, whose hashes ` +
        "are not pinned (link them into one)",
    );
  }
  if (runtime !== "v8") {
    throw new TypeError(
      `Cannot install ${quote(manifest)}: it runs on ` +
        `${quote(String(runtime))}, and which permissions a command needs is ` +
        'known for "v8" alone (leave the runtime out)',
    );
  }
  return tool;
}

function nameOf({ name }: CliToolOptions, manifest: string): string {
  if (name !== undefined) return name;
  throw new TypeError(
    `Cannot install ${quote(manifest)}: it has no name (give one)`,
  );
}

async function realDirectory(directory: string): Promise<string> {
  try {
    const path = await Deno.realPath(directory);
    if (await kindOf(path) === "directory") return path;
  } catch (error) {
    throw cannot("install into", directory, reasonOf(error), error);
  }
  throw cannot("install into", directory, "it is no directory");
}

async function checkFree({ launcher, folder }: Places): Promise<void> {
  for (const path of [launcher, folder]) {
    if (await kindOf(path) === "none") continue;
    throw cannot("write", path, "it is there already (force replaces it)");
  }
}

/** Makes everything, and tries the tool, before anything is written. */
async function partsOf(
  { sha256: pinned, ...tool }: CliToolOptions,
  places: Places,
  { cli, denoArgs = [] }: InstallToolOptions,
  { signal }: OperationOptions,
): Promise<Parts> {
  const { CliTool } = await import("../../cli_tool.ts");
  const { moduleBytes: maxBytes } = resolveLimits(tool.limits ?? {});
  const module = await readSource(tool.module, { maxBytes, signal });
  const hash = await sha256(module);
  const section = { ...tool, module: `./module.wasm`, sha256: pinned ?? hash };
  const trial = { ...section, module };
  await using made = await CliTool.create(trial, signal ? { signal } : {});
  const permissions = permissionFlags(tool, made.isolation, places);
  const own = ownCli(new URL("../../../cli.ts", import.meta.url).href);
  const launcher = launcherText({
    places,
    deno: Deno.execPath(),
    cli: cli ?? own.cli,
    flags: [
      ...permissions,
      ...(cli === undefined ? own.flags : ["--no-config"]),
      ...denoArgs,
    ],
  }, Deno.build.os === "windows");
  const launcherSha256 = await sha256(new TextEncoder().encode(launcher));
  return {
    module,
    launcher,
    manifest: `${JSON.stringify({ version: 1, cli_tool: section }, null, 2)}\n`,
    record: { version: 1, sha256: hash, launcherSha256, permissions },
  };
}

/** Writes all of it, the command last, or takes it back. */
async function write(places: Places, parts: Parts): Promise<void> {
  const { launcher, folder, manifest, module, record } = places;
  await using undo = new AsyncDisposableStack();
  const create = (path: string, data: string | Uint8Array, mode = 0o644) =>
    createFile(path, data, { mode, undo });
  try {
    await Deno.mkdir(folder);
    undo.defer(() => Deno.remove(folder));
    await create(module, parts.module);
    await create(manifest, parts.manifest);
    await create(record, `${JSON.stringify(parts.record, null, 2)}\n`);
    await create(launcher, parts.launcher, 0o755);
  } catch (error) {
    if (SandboxError.is(error)) throw error;
    throw cannot("install", launcher, reasonOf(error), error);
  }
  // what was written stays
  undo.move();
}

async function createFile(
  path: string,
  data: string | Uint8Array,
  { mode, undo }: {
    readonly mode: number;
    readonly undo: AsyncDisposableStack;
  },
): Promise<void> {
  (await Deno.open(path, { write: true, createNew: true, mode })).close();
  // from here on it is ours, also if the disk is full
  undo.defer(() => removeFile(path));
  const bytes = typeof data === "string"
    ? new TextEncoder().encode(data)
    : data;
  await Deno.writeFile(path, bytes, { create: false });
}

async function replace(places: Places, parts: Parts): Promise<void> {
  const suffix = `.${crypto.randomUUID().slice(0, 8)}.old`;
  await using back = await moveAway(places, suffix);
  await write(places, parts);
  back.move();
  await removeOld(places, suffix);
}

/** What was there, moved aside; it is put back unless its stack is moved. */
async function moveAway(
  { launcher, folder }: Places,
  suffix: string,
): Promise<AsyncDisposableStack> {
  await using back = new AsyncDisposableStack();
  for (const from of [launcher, folder]) {
    if (await kindOf(from) === "none") continue;
    await Deno.rename(from, from + suffix);
    back.defer(() => Deno.rename(from + suffix, from));
  }
  return back.move();
}

/** Removes what was moved aside. */
async function removeOld(
  { launcher, folder }: Places,
  suffix: string,
): Promise<void> {
  await removeFile(launcher + suffix);
  for (const name of Object.values(FILES)) {
    await removeFile(`${folder}${suffix}/${name}`);
  }
  await removeFile(folder + suffix);
}
