/**
 * What this machine has to bound a process with. It is found out by trying,
 * once, when it is first needed.
 *
 * @module
 */

import {
  enter,
  mayEnter,
  type Namespace,
  type NamespacePaths,
  type Surroundings,
  WITHIN,
} from "./namespace.ts";

/** `setpriv`, and what it can do here. */
export interface Setpriv {
  /** Where it is. */
  readonly path: string;
  /** Whether it can take every capability of the kernel's away. */
  readonly dropsAll: boolean;
}

/** Programs that bound a process. */
export interface Tools {
  /** Path of `prlimit`, if it works. */
  readonly prlimit: string | undefined;
  /** `setpriv`, if it works. */
  readonly setpriv: Setpriv | undefined;
}

const NO_TOOLS: Tools = { prlimit: undefined, setpriv: undefined };
const FOLDERS = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"] as const;

/** Knows this machine. Everything is tried once. */
export class Machine {
  /** Path of the `deno` that runs this program. */
  readonly deno: string = Deno.execPath();
  readonly #wrap: boolean;
  #tools: Promise<Tools> | undefined;
  #namespace: Promise<Namespace | undefined> | undefined;

  /**
   * Constructs it.
   *
   * @param options `wrap` says whether to use what the machine has.
   */
  constructor({ wrap = true }: { readonly wrap?: boolean } = {}) {
    this.#wrap = wrap && Deno.build.os === "linux";
  }

  /** What bounds any process. */
  tools(): Promise<Tools> {
    return this.#tools ??= this.#wrap ? findTools() : Promise.resolve(NO_TOOLS);
  }

  /**
   * What gives a process a root directory of its own, if it can have one.
   *
   * @param paths What shall be seen within.
   */
  async namespace(paths: NamespacePaths): Promise<Namespace | undefined> {
    if (!this.#wrap || !mayEnter(paths)) return undefined;
    const { setpriv } = await this.tools();
    if (setpriv === undefined) return undefined;
    return await (this.#namespace ??= findNamespace(this.deno, setpriv));
  }
}

async function findTools(): Promise<Tools> {
  const [prlimit, setpriv] = await Promise.all([
    find("prlimit", [
      ["--data=4294967296", "--core=0", "--nofile=256", "--cpu=600"],
    ]),
    find("setpriv", [
      ["--pdeathsig=KILL", "--no-new-privs", "--bounding-set=-all"],
      ["--pdeathsig=KILL", "--no-new-privs"],
    ]),
  ]);
  return {
    prlimit: prlimit?.path,
    setpriv: setpriv && { path: setpriv.path, dropsAll: setpriv.choice === 0 },
  };
}

/** The first place of a tool, and the first arguments that it takes there. */
async function find(
  name: string,
  choices: readonly (readonly string[])[],
): Promise<{ readonly path: string; readonly choice: number } | undefined> {
  for (const folder of FOLDERS) {
    const path = `${folder}/${name}`;
    for (const [choice, args] of choices.entries()) {
      if (await works(path, [...args, path, "--version"])) {
        return { path, choice };
      }
    }
  }
  return undefined;
}

const TRIAL: Surroundings = {
  read: [],
  write: [],
  bounds: { files: 256, dataBytes: 2 ** 32, cpuSeconds: 600 },
};

async function findNamespace(
  deno: string,
  setpriv: Setpriv,
): Promise<Namespace | undefined> {
  const [libraries, unshare] = await Promise.all([
    libraryFolders([deno, setpriv.path]),
    find("unshare", UNSHARED),
  ]);
  if (libraries === undefined || unshare === undefined) return undefined;
  const apart = UNSHARED[unshare.choice] ?? [];
  const namespace: Namespace = {
    unshare: [unshare.path, ...apart],
    libraries,
    programs: [deno, setpriv.path],
    deno: WITHIN.deno,
    // in its own namespace it has the right to give up rights
    setpriv: { path: WITHIN.setpriv, dropsAll: true },
    hasNetwork: !apart.includes("--net"),
  };
  const [command = "", ...args] = enter(namespace, TRIAL, [
    WITHIN.setpriv,
    "--pdeathsig=KILL",
    "--no-new-privs",
    "--bounding-set=-all",
    WITHIN.deno,
    "--version",
  ]);
  return await works(command, args) ? namespace : undefined;
}

/** What a process is kept apart from, the most first. */
const UNSHARED: readonly (readonly string[])[] = [
  ["--mount", "--net", "--ipc"],
  ["--mount", "--net", "--ipc", "--user", "--map-root-user"],
  ["--mount"],
  ["--mount", "--user", "--map-root-user"],
];

/** Where libraries of the system may be, and nothing else is. */
const LIBRARIES = /^(?:\/usr)?\/(?:lib|lib32|lib64|libexec)\/|^\/nix\/store\//;

/** The directories of the libraries that programs need to run. */
async function libraryFolders(
  programs: readonly string[],
): Promise<readonly string[] | undefined> {
  const text = await run("/usr/bin/ldd", programs);
  // such as "libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f…)"
  const paths = text?.match(/\/[^\s:()]+(?=\s+\(0x)/g);
  if (!paths || !paths.every((path) => LIBRARIES.test(path))) return undefined;
  const folders = paths.map((path) => path.slice(0, path.lastIndexOf("/")));
  return [...new Set(folders)];
}

async function works(
  path: string,
  args: readonly string[],
): Promise<boolean> {
  return await run(path, args) !== undefined;
}

/** What a program prints, if it may be run, is there, and succeeds. */
async function run(
  path: string,
  args: readonly string[],
): Promise<string | undefined> {
  // asked before, so that nobody is prompted
  const { state } = await Deno.permissions.query({
    name: "run",
    command: path,
  });
  if (state !== "granted") return undefined;
  try {
    const { success, stdout } = await new Deno.Command(path, {
      args: [...args],
      clearEnv: true,
      env: { DENO_DIR: "/dev/null/cache", HOME: "/nonexistent" },
      stdin: "null",
      stderr: "null",
    }).output();
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch {
    return undefined;
  }
}

/** This machine. What it has does not change while the program runs. */
export const machine: Machine = new Machine();
