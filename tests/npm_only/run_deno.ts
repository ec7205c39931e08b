/**
 * A child `deno` that takes the place of this process.
 *
 * @module
 */

/** Signals that end a program in the usual course of things. */
const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM", "SIGHUP"];

/** Options of {@linkcode runDeno}. */
export interface RunDenoOptions {
  /** Environment variables to add. */
  env?: Record<string, string>;
  /** The folder to start in, this process's own by default. */
  cwd?: string | URL;
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
  { env = {}, cwd = Deno.cwd() }: RunDenoOptions = {},
): Promise<number> {
  // Not the `deno` of PATH: there may be none, or another one.
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    env,
    cwd,
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
  const listeners = SIGNALS.map((signal) => ({
    signal,
    listen: () => handOn(child, signal),
  }));
  for (const { signal, listen } of listeners) {
    Deno.addSignalListener(signal, listen);
  }
  const { code } = await child.status;
  for (const { signal, listen } of listeners) {
    Deno.removeSignalListener(signal, listen);
  }
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
