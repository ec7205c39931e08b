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
}

/** What makes such a root directory. */
export interface Namespace {
  /** `unshare` and its arguments. */
  readonly unshare: readonly string[];
  /** Files of the system that are seen within, at the same paths. */
  readonly binds: readonly string[];
  /** Path of `deno` outside. */
  readonly hostDeno: string;
  /** Path of `setpriv` outside. */
  readonly hostSetpriv: string;
  /** Path of `deno` within. */
  readonly deno: string;
  /** `setpriv` within. */
  readonly setpriv: Setpriv;
}

/** Directories that every machine has, to mount the new root upon, unseen. */
const ROOTS = ["/mnt", "/media", "/sys"] as const;

/**
 * Builds the root and goes there. All that varies is an argument: the root, a
 * table of mounts, the directories and the files to mount upon, one a line,
 * and the command to run.
 */
const SCRIPT = `set -ef
PATH=/usr/sbin:/usr/bin:/sbin:/bin
root=$1 fstab=$2 folders=$3 files=$4
shift 4
mount -t tmpfs -o size=256k,mode=755,nosuid,nodev tmpfs "$root"
cd "$root"
IFS='
'
mkdir -p -- $folders
for file in $files; do : > "$file"; done
printf '%s\\n' "$fstab" > .sandbox/fstab
mount -a -T .sandbox/fstab
exec chroot . "$@"
`;

/**
 * Whether such a root can hold some paths: not if everything is granted.
 *
 * @param paths What shall be seen within.
 * @returns Whether it can.
 */
export function mayEnter({ read, write }: NamespacePaths): boolean {
  return ![...read, ...write].includes("/") &&
    rootFor([...read, ...write]) !== undefined;
}

/**
 * The command that runs another one within a new root.
 *
 * @param namespace What makes it.
 * @param paths What is seen within.
 * @param command The command, by its paths within.
 * @returns Program and arguments.
 */
export function enter(
  namespace: Namespace,
  { read, write }: NamespacePaths,
  command: readonly string[],
): readonly string[] {
  const granted = [...new Set([...read, ...write])].sort();
  const root = rootFor(granted) ?? "/sys";
  const binds = namespace.binds.map((path) => [path, within(namespace, path)]);
  const fstab = [
    ...binds.map(([from = "", to = ""]) =>
      line(from, root + to, "bind,ro,nosuid,nodev")
    ),
    ...granted.map((path) =>
      line(
        path,
        root + path,
        `rbind,${write.includes(path) ? "rw" : "ro"},nosuid,nodev,noexec`,
      )
    ),
  ];
  const folders = [
    ...binds.map(([, to = ""]) => to.slice(0, to.lastIndexOf("/"))),
    ...granted,
  ];
  return [
    ...namespace.unshare,
    "/bin/sh",
    "-c",
    SCRIPT,
    "sh",
    root,
    fstab.join("\n"),
    [...new Set(folders)].map((path) => `.${path}`).join("\n"),
    binds.map(([, to]) => `.${to}`).join("\n"),
    ...command,
  ];
}

function within(namespace: Namespace, path: string): string {
  if (path === namespace.hostDeno) return namespace.deno;
  if (path === namespace.hostSetpriv) return namespace.setpriv.path;
  return path;
}

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
      /[\s\\#]/g,
      (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, "0")}`,
    )
  );
  return `${escaped.join(" ")} none ${options} 0 0`;
}
