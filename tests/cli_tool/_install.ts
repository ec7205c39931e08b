import { importMap } from "../npm_only/import_map.ts";
import { hasJsr } from "../npm_only/jsr.ts";
import {
  type InstalledTool,
  installTool,
  type InstallToolOptions,
} from "../../wrappers/cli_tool.ts";

/** Folders of a test, one within the other, removed in the end. */
export interface Folders extends AsyncDisposable {
  /** Where commands are put. */
  readonly bin: string;
  /** Where manifests and everything else lie. */
  readonly work: string;
}

/** Makes folders; the name of that for commands is odd on purpose. */
export async function folders(bin = "b i'n$(x)`y`"): Promise<Folders> {
  const work = await Deno.makeTempDir({ prefix: "wasm-sandbox-install-" });
  await Deno.mkdir(`${work}/${bin}`);
  return {
    bin: await Deno.realPath(`${work}/${bin}`),
    work,
    [Symbol.asyncDispose]: () => Deno.remove(work, { recursive: true }),
  };
}

/** Flags by which a command finds this checkout's packages without JSR. */
export async function denoArgs(): Promise<readonly string[]> {
  return await hasJsr() ? [] : [`--import-map=${await importMap()}`];
}

/** Installs a tool that starts here, with or without JSR. */
export async function install(
  options: InstallToolOptions,
): Promise<InstalledTool> {
  return await installTool({ ...options, denoArgs: await denoArgs() });
}

/** Writes a manifest of the actor, with more lines. */
export async function manifest(
  { work }: Folders,
  lines: readonly string[] = [],
  name = "tool.yaml",
): Promise<string> {
  const module = new URL("guests/actor.wasm", import.meta.url).pathname;
  const own = lines.map((line) => `  ${line}\n`).join("");
  const path = `${work}/${name}`;
  await Deno.writeTextFile(
    path,
    `version: 1\ncli_tool:\n  module: ${module}\n  name: actor\n${own}`,
  );
  return path;
}

/** How a command has ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts a command as a shell would. */
export async function start(
  path: string,
  args: readonly string[] = [],
  { cwd, stdin = "" }: { readonly cwd?: string; readonly stdin?: string } = {},
): Promise<Ended> {
  const child = new Deno.Command(path, {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
    ...(cwd === undefined ? {} : { cwd }),
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(stdin));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

/** What a directory holds, by name. */
export async function namesIn(directory: string): Promise<readonly string[]> {
  const entries = await Array.fromAsync(Deno.readDir(directory));
  return entries.map(({ name }) => name).sort();
}
