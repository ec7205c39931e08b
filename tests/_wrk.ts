/**
 * The load generator wrk: the one on the path, or Debian's package, unpacked into
 * the checkout's `.cache`. Nothing is installed.
 *
 * @module
 */

const CACHE = new URL("../.cache/", import.meta.url).pathname;
const LIBRARIES = "usr/lib/x86_64-linux-gnu";
const PACKAGES = ["wrk", "libluajit-5.1-2"];

/** How to start it. */
export interface Wrk {
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
}

/** What it found. */
export interface WrkReport {
  /** Requests that were answered, each second. */
  readonly perSecond: number;
  /** Requests that were answered. */
  readonly requests: number;
  /** Answers that were no 2xx or 3xx. */
  readonly otherStatuses: number;
  /** Connections that failed, reads and writes that did, and timeouts. */
  readonly socketErrors: number;
  /** Half of them were answered within this, in milliseconds. */
  readonly p50Ms: number;
  /** 99 of 100 were answered within this, in milliseconds. */
  readonly p99Ms: number;
  /** All that it printed, what the script has to say included. */
  readonly output: string;
}

/** Options of {@linkcode load}. */
export interface LoadOptions {
  readonly seconds: number;
  readonly connections: number;
  /** A script in Lua. */
  readonly script?: string;
}

/** Finds wrk, or fetches it; undefined where neither can be done. */
export async function findWrk(): Promise<Wrk | undefined> {
  for (const wrk of [{ command: "wrk", env: {} }, cached()]) {
    if (await runs(wrk)) return wrk;
  }
  try {
    await fetchPackages();
  } catch {
    return undefined;
  }
  return await runs(cached()) ? cached() : undefined;
}

function cached(): Wrk {
  const folder = `${CACHE}wrk`;
  return {
    command: `${folder}/usr/bin/wrk`,
    env: { LD_LIBRARY_PATH: `${folder}/${LIBRARIES}` },
  };
}

async function runs({ command, env }: Wrk): Promise<boolean> {
  try {
    const { stdout } = await new Deno.Command(command, {
      args: ["--version"],
      env,
      stderr: "null",
    }).output();
    return new TextDecoder().decode(stdout).startsWith("wrk ");
  } catch {
    return false;
  }
}

async function fetchPackages(): Promise<void> {
  await Deno.mkdir(CACHE, { recursive: true });
  const folder = await Deno.makeTempDir({ dir: CACHE });
  try {
    await run("apt-get", [
      "download",
      "-qq",
      "-o",
      "APT::Sandbox::User=root",
      ...PACKAGES,
    ], folder);
    for await (const { name } of Deno.readDir(folder)) {
      if (name.endsWith(".deb")) await run("dpkg", ["-x", name, "."], folder);
    }
    // whoever comes second has the same
    await Deno.rename(folder, `${CACHE}wrk`).catch(() => {});
  } finally {
    await Deno.remove(folder, { recursive: true }).catch(() => {});
  }
}

async function run(
  command: string,
  args: readonly string[],
  cwd: string,
): Promise<void> {
  const { success } = await new Deno.Command(command, {
    args: [...args],
    cwd,
    stdout: "null",
    stderr: "null",
  }).output();
  if (!success) throw new Error(`${command} failed`);
}

/** Puts a server under load, with one thread. */
export async function load(
  { command, env }: Wrk,
  url: string,
  { seconds, connections, script }: LoadOptions,
): Promise<WrkReport> {
  const file = script === undefined
    ? undefined
    : await Deno.makeTempFile({ suffix: ".lua" });
  try {
    if (file !== undefined) await Deno.writeTextFile(file, script ?? "");
    const { stdout, success } = await new Deno.Command(command, {
      args: [
        ...["--threads", "1", "--connections", String(connections)],
        ...["--duration", `${seconds}s`, "--latency"],
        ...(file === undefined ? [] : ["--script", file]),
        url,
      ],
      env,
      stderr: "inherit",
    }).output();
    const text = new TextDecoder().decode(stdout);
    if (!success) throw new Error(`wrk failed: ${text}`);
    return reportOf(text);
  } finally {
    if (file !== undefined) await Deno.remove(file);
  }
}

const UNITS: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1_000,
  m: 60_000,
};

function reportOf(text: string): WrkReport {
  const number = (pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? 0);
  const time = (pattern: RegExp) => {
    const [, value = "NaN", unit = "ms"] = pattern.exec(text) ?? [];
    return Number(value) * (UNITS[unit] ?? NaN);
  };
  const errors =
    /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/
      .exec(text)?.slice(1) ?? [];
  return {
    perSecond: number(/Requests\/sec:\s+([\d.]+)/),
    requests: number(/(\d+) requests in/),
    otherStatuses: number(/Non-2xx or 3xx responses: (\d+)/),
    socketErrors: errors.reduce((sum, count) => sum + Number(count), 0),
    p50Ms: time(/\b50%\s+([\d.]+)(us|ms|s|m)/),
    p99Ms: time(/\b99%\s+([\d.]+)(us|ms|s|m)/),
    output: text,
  };
}
