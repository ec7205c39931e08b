/**
 * The command line of wasm-sandbox.
 *
 * ```sh
 * deno run -A cli.ts --help
 * ```
 *
 * @module
 */

/** What `tests/npm_only/restart.ts` offers; it is not published. */
interface StandIns {
  restart(entry: string, args: readonly string[]): Promise<number | undefined>;
}

async function start(args: readonly string[]): Promise<number> {
  let cli;
  try {
    cli = await import("./cli/main.ts");
  } catch (error) {
    const code = await restart(args);
    if (code === undefined) throw error;
    return code;
  }
  return await cli.main(args);
}

/**
 * Starts this program once more with stand-ins for the packages from JSR, if
 * this is a checkout and JSR does not answer.
 */
async function restart(args: readonly string[]): Promise<number | undefined> {
  if (!import.meta.url.startsWith("file:")) return undefined;
  let standIns: StandIns;
  try {
    const url = new URL("./tests/npm_only/restart.ts", import.meta.url);
    standIns = await import(url.href);
  } catch {
    return undefined;
  }
  return await standIns.restart(import.meta.url, args);
}

// not `Deno.exitCode`: a connection that a client keeps open keeps no process
if (import.meta.main) Deno.exit(await start(Deno.args));
