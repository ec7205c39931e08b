/**
 * A child `deno` that takes the place of this process.
 *
 * @module
 */

import { JSR_VARIABLE } from "./jsr.ts";

/** Signals that end a program in the usual course of things. */
const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM", "SIGHUP"];

/** Options of {@linkcode runDeno}. */
export interface RunDenoOptions {
  /** Whether JSR can be had; the child does not ask again. */
  hasJsr: boolean;
  /** The folder to start in, this process's own by default. */
  cwd?: URL;
}

/**
 * Runs `deno` with this process's stdio and hands signals on to it.
 *
 * @param args The arguments, subcommand first.
 * @param options Options of the child.
 * @returns The child's exit code, 128 + n where signal n ended it.
 */
export async function runDeno(
  args: readonly string[],
  { hasJsr, cwd }: RunDenoOptions,
): Promise<number> {
  // Not the `deno` of PATH: there may be none, or another one.
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    ...(cwd === undefined ? {} : { cwd }),
    env: hasJsr ? { [JSR_VARIABLE]: "yes" } : {
      [JSR_VARIABLE]: "no",
      // Where a network swallows packets, each look-up would hang: nothing
      // listens at port 0, so they fail at once.
      JSR_URL: "http://127.0.0.1:0/",
    },
  }).spawn();
  using stack = new DisposableStack();
  for (const signal of SIGNALS) {
    const listen = () => handOn(child, signal);
    Deno.addSignalListener(signal, listen);
    stack.defer(() => Deno.removeSignalListener(signal, listen));
  }
  const { code } = await child.status;
  return code;
}

function handOn(child: Deno.ChildProcess, signal: Deno.Signal): void {
  // A terminal sends Ctrl-C to the child itself, and twice would mean "now".
  if (signal === "SIGINT" && Deno.stdin.isTerminal()) return;
  try {
    child.kill(signal);
  } catch {
    // It has ended already.
  }
}
