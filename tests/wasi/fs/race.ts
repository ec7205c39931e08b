/**
 * A guest at work in a directory, while another process swaps the directory
 * for a link that leads out of the mount.
 */

/** What became of one kind of operation. */
export interface RaceCounts {
  /** How often it was tried. */
  tried: number;
  /** How often the guest was told that it failed. */
  refused: number;
  /** How often it reached outside. */
  outside: number;
}

/** What a race gave. */
export interface RaceResult {
  /** How often the directory was swapped. */
  readonly swaps: number;
  /** By operation. */
  readonly counts: Readonly<Record<string, RaceCounts>>;
}

/** Options of {@linkcode race}. */
export interface RaceOptions {
  /**
   * Command that runs Deno; for instance in a namespace of its own.
   *
   * @default {[Deno.execPath()]}
   */
  readonly deno?: (mount: string) => readonly string[];
  /** Whether the guest's process holds all permissions, as inline. */
  readonly inline?: boolean;
  /**
   * Runs something else than a tree in a child: a guest in a sandbox.
   *
   * @param mount The directory in which `d` is swapped.
   * @param seconds For how long.
   * @returns What it says that it did.
   */
  readonly guest?: (
    mount: string,
    seconds: number,
  ) => Promise<Record<string, RaceCounts>>;
  /**
   * How long the other process waits between two swaps, in microseconds.
   *
   * @default {0}
   */
  readonly pauseUs?: number;
}

const VICTIMS = 1000;

/**
 * Runs a race.
 *
 * @param seconds For how long.
 * @param options How the guest's process is started.
 * @returns What reached outside.
 */
export async function race(
  seconds: number,
  options: RaceOptions = {},
): Promise<RaceResult> {
  const { pauseUs = 0 } = options;
  const base = await Deno.realPath(await Deno.makeTempDir());
  try {
    const mount = `${base}/mount`;
    const outside = `${base}/outside`;
    fill(mount, outside);
    const swapping = output(
      await swapper(base, [
        String(seconds + 1),
        `${mount}/d`,
        `${mount}/link`,
        String(pauseUs),
      ]),
    );
    const { guest = inChild(options) } = options;
    const counting = guest(mount, seconds);
    const swaps = Number(await swapping);
    const counts = await counting;
    count(outside, counts);
    return { swaps, counts };
  } finally {
    await Deno.remove(base, { recursive: true });
  }
}

/** Runs a tree in a child of Deno's, with scoped permissions or with all. */
function inChild(
  { deno = () => [Deno.execPath()], inline = false }: RaceOptions,
): NonNullable<RaceOptions["guest"]> {
  return async (mount, seconds) => {
    const permissions = inline
      ? ["-A"]
      : [`--allow-read=${mount}`, `--allow-write=${mount}`];
    const [command = "", ...before] = deno(mount);
    const text = await output(
      new Deno.Command(command, {
        args: [
          ...before,
          "run",
          "--no-prompt",
          "--no-check",
          ...permissions,
          new URL("race_guest.ts", import.meta.url).href,
          mount,
          String(seconds),
        ],
      }),
    );
    return JSON.parse(text);
  };
}

function fill(mount: string, outside: string): void {
  for (
    const [path, where] of [[`${mount}/d`, "inside"], [outside, "OUTSIDE"]]
  ) {
    Deno.mkdirSync(path ?? "", { recursive: true });
    Deno.writeTextFileSync(
      `${path}/file`,
      `${where}`.padEnd(where === "inside" ? 10 : 999),
    );
    Deno.writeTextFileSync(`${path}/write`, `${where}`);
    Deno.writeTextFileSync(`${path}/times`, `${where}`);
    for (let i = 0; i < VICTIMS; i++) {
      Deno.writeTextFileSync(`${path}/victim-${i}`, "");
    }
  }
  Deno.writeTextFileSync(`${outside}/OUTSIDE`, "");
  for (let i = 0; i < VICTIMS; i++) {
    Deno.writeTextFileSync(`${mount}/f-${i}`, "");
  }
  Deno.symlinkSync(outside, `${mount}/link`);
}

/** Counts what the guest left outside. */
function count(outside: string, counts: Record<string, RaceCounts>): void {
  const add = (name: string, found: number) => {
    const entry = counts[name];
    if (entry !== undefined) entry.outside += found;
  };
  const names = [...Deno.readDirSync(outside)].map(({ name }) => name);
  const having = (prefix: string) =>
    names.filter((name) => name.startsWith(prefix));
  add("write", Deno.readTextFileSync(`${outside}/write`) === "OUTSIDE" ? 0 : 1);
  const { mtime } = Deno.statSync(`${outside}/times`);
  add("times", mtime?.getTime() === 1000 ? 1 : 0);
  const created = having("create-");
  add("create", created.length);
  counts["createWritten"] = {
    tried: created.length,
    refused: 0,
    outside:
      created.filter((name) => Deno.statSync(`${outside}/${name}`).size > 0)
        .length,
  };
  add("makeDirectory", having("directory-").length);
  add("unlink", VICTIMS - having("victim-").length);
  add("rename", having("renamed-").length);
}

async function swapper(base: string, args: string[]): Promise<Deno.Command> {
  const source = new URL("swap.c", import.meta.url).pathname;
  const program = `${base}/swap`;
  try {
    const { success } = await new Deno.Command("cc", {
      args: ["-O2", "-o", program, source],
    }).output();
    if (success) return new Deno.Command(program, { args });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL("swap.ts", import.meta.url).href, ...args],
  });
}

async function output(command: Deno.Command): Promise<string> {
  const { success, stdout, stderr } = await command.output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

if (import.meta.main) {
  const [seconds = "2", pauseUs = "0", kind] = Deno.args;
  const result = await race(Number(seconds), {
    inline: kind === "inline",
    pauseUs: Number(pauseUs),
  });
  // deno-lint-ignore no-console
  console.log(result.swaps, "swaps");
  // deno-lint-ignore no-console
  console.table(result.counts);
}
