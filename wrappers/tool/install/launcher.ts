/** The command itself: a script that starts Deno with what the tool needs. */

import { quote } from "../../../_text.ts";
import type { Places } from "./places.ts";

/** What a command starts. */
export interface Launch {
  readonly places: Places;
  /** Path of Deno. */
  readonly deno: string;
  /** The command line: a path, a URL or `jsr:...`. */
  readonly cli: string;
  /** Flags of `deno run`. */
  readonly flags: readonly string[];
}

/**
 * Writes the script.
 *
 * Nothing of the folder that it is started in has a say: no `deno.json`, no
 * `package.json`, no lock file.
 *
 * @param launch What it starts.
 * @param isWindows Whether it is for `cmd.exe`; for `sh` otherwise.
 * @returns Its text.
 * @throws {TypeError} If something cannot be quoted.
 */
export function launcherText(
  { places, deno, cli, flags }: Launch,
  isWindows: boolean,
): string {
  const args = [
    deno,
    "run",
    "--quiet",
    "--no-prompt",
    "--no-lock",
    ...flags,
    cli,
    "tool",
    "run",
    places.manifest,
    "--",
  ];
  const about = `${places.name}: WebAssembly under a policy, installed by ` +
    "wasm-sandbox";
  return isWindows
    ? [
      "@echo off",
      `rem ${about}`,
      "setlocal",
      "set DENO_NO_PACKAGE_JSON=1",
      `${args.map(quoteForCmd).join(" ")} %*`,
      "",
    ].join("\r\n")
    : [
      "#!/bin/sh",
      `# ${about}`,
      "DENO_NO_PACKAGE_JSON=1",
      "export DENO_NO_PACKAGE_JSON",
      `exec ${args.map(quoteForShell).join(" ")} "$@"`,
      "",
    ].join("\n");
}

/**
 * The command line of this package, as a command can start it, and the flags that
 * it needs beside permissions.
 *
 * @param here Where this package is: the URL of its command line.
 */
export function ownCli(
  here: string,
): { readonly cli: string; readonly flags: readonly string[] } {
  const [, name] = /^https:\/\/jsr\.io\/(@[^/]+\/[^/]+\/[^/]+)\//.exec(here) ??
    [];
  if (name !== undefined) {
    const specifier = `jsr:${name.replace(/\/([^/]+)$/, "@$1")}/cli`;
    return { cli: specifier, flags: ["--no-config"] };
  }
  if (!here.startsWith("file:")) return { cli: here, flags: ["--no-config"] };
  // a checkout says in its own file what its imports are
  const config = pathOf(new URL("deno.json", here));
  return { cli: pathOf(new URL(here)), flags: [`--config=${config}`] };
}

function pathOf({ pathname }: URL): string {
  const path = decodeURIComponent(pathname);
  return Deno.build.os === "windows" ? path.replace(/^\//, "") : path;
}

function quoteForShell(text: string): string {
  checkPrintable(text);
  return /^[\w@%+=:,./-]+$/.test(text)
    ? text
    : `'${text.replaceAll("'", "'\\''")}'`;
}

function quoteForCmd(text: string): string {
  checkPrintable(text);
  if (text.includes('"')) throw unquotable(text);
  return `"${text.replaceAll("%", "%%")}"`;
}

function checkPrintable(text: string): void {
  if (/\p{Cc}/u.test(text)) throw unquotable(text);
}

function unquotable(text: string): TypeError {
  return new TypeError(
    `Cannot write a command with ${quote(text)}: it has a character that ` +
      "cannot be quoted (rename it)",
  );
}
