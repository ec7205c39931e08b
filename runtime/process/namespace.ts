/**
 * A root directory of its own for a process, in which there is nothing but
 * Deno, the libraries it needs, and what is granted: links can lead nowhere
 * else, whoever swaps them when. Nothing of it is seen from outside, and
 * nothing is left behind.
 *
 * @module
 */

import type { Setpriv } from "./machine.ts";

/** What a process may see of the host's files; absolute paths. */
export interface NamespacePaths {
  /** What it may read. */
  readonly read: readonly string[];
  /** What it may write. */
  readonly write: readonly string[];
  /** A library that it may load, wherever it is. */
  readonly library?: string | undefined;
}

/** What makes such a root directory. */
export interface Namespace {
  /** `unshare` and its arguments. */
  readonly unshare: readonly string[];
  /** Directories of libraries, which are seen within at the same paths. */
  readonly libraries: readonly string[];
  /** Paths of `deno` and `setpriv` outside. */
  readonly programs: readonly [deno: string, setpriv: string];
  /** Path of `deno` within. */
  readonly deno: string;
  /** `setpriv` within. */
  readonly setpriv: Setpriv;
  /** Whether the process still has the network of its host. */
  readonly hasNetwork: boolean;
}

/** What the kernel bounds of a process. */
export interface Bounds {
  /** Most files it holds open. */
  readonly files: number;
  /** Its private memory, in bytes. */
  readonly dataBytes: number;
  /** CPU time, in seconds, if it is bounded. */
  readonly cpuSeconds: number | undefined;
}

/** What a process within its own root may see and use. */
export interface Surroundings extends NamespacePaths {
  /** Its bounds. */
  readonly bounds: Bounds;
}

/** Where programs are within. */
export const WITHIN = Object.freeze({
  deno: "/deno",
  setpriv: "/setpriv",
  library: "/library",
});

/** Directories that every machine has, to mount the new root upon, unseen. */
const ROOTS = ["/mnt", "/media", "/sys"] as const;

/**
 * Builds the root and goes there. All that varies is an argument: the root, a
 * table of mounts, most open files, KiB of data, seconds, and the command.
 */
const SCRIPT = `set -e
PATH=/usr/sbin:/usr/bin:/sbin:/bin
root=$1 fstab=$2
ulimit -c 0
ulimit -n "$3"
ulimit -d "$4"
[ "$5" = unlimited ] || ulimit -t "$5"
shift 5
mount -t tmpfs -o size=256k,mode=755,nosuid,nodev tmpfs "$root"
cd "$root"
: > deno
: > setpriv
: > library
printf '%s\\n' "$fstab" > fstab
mount -a -T fstab
exec chroot . "$@"
`;

/**
 * Whether such a root can hold some paths: not if everything is granted.
 *
 * @param paths What shall be seen within.
 * @returns Whether it can.
 */
export function mayEnter(
  { read, write }: Pick<NamespacePaths, "read" | "write">,
): boolean {
  const all = [...read, ...write];
  return !all.some((path) => TAKEN.has(path)) && rootFor(all) !== undefined;
}

/** Paths within that are something else there. */
const TAKEN: ReadonlySet<string> = new Set([
  "/",
  "/fstab",
  ...Object.values(WITHIN),
]);

/**
 * The command that runs another one within a new root.
 *
 * @param namespace What makes it.
 * @param surroundings What is seen within, and bounds.
 * @param command The command, by its paths within.
 * @returns Program and arguments.
 */
export function enter(
  { unshare, libraries, programs }: Namespace,
  { read, write, library, bounds }: Surroundings,
  command: readonly string[],
): readonly string[] {
  // parents before what lies in them
  const granted = [...new Set([...read, ...write])].sort();
  const root = rootFor(granted) ?? "/sys";
  const [deno, setpriv] = programs;
  const fstab = [
    line(deno, root + WITHIN.deno, SYSTEM),
    line(setpriv, root + WITHIN.setpriv, SYSTEM),
    ...(library === undefined
      ? []
      : [line(library, root + WITHIN.library, SYSTEM)]),
    ...libraries.map((path) => line(path, root + path, SYSTEM)),
    ...granted.map((path) =>
      line(path, root + path, write.includes(path) ? WRITABLE : READABLE)
    ),
  ];
  return [
    ...unshare,
    "/bin/sh",
    "-c",
    SCRIPT,
    "sh",
    root,
    fstab.join("\n"),
    String(bounds.files),
    String(Math.ceil(bounds.dataBytes / 1024)),
    String(bounds.cpuSeconds ?? "unlimited"),
    ...command,
  ];
}

const SYSTEM = "bind,X-mount.mkdir,ro,nosuid,nodev";
const READABLE = "rbind,X-mount.mkdir,ro,nosuid,nodev,noexec";
const WRITABLE = "rbind,X-mount.mkdir,rw,nosuid,nodev,noexec";

/** A directory that has nothing to do with any of the paths. */
function rootFor(paths: readonly string[]): string | undefined {
  return ROOTS.find((root) =>
    paths.every((path) => path !== root && !path.startsWith(`${root}/`))
  );
}

/** A line of a table of mounts, with white space and such escaped. */
function line(from: string, to: string, options: string): string {
  const escaped = [from, to].map((path) =>
    path.replace(
      // no other white space parts a line, and none of it is one byte long
      /[ \t\r\n\\#]/g,
      (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, "0")}`,
    )
  );
  return `${escaped.join(" ")} none ${options} 0 0`;
}
