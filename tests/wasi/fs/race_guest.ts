/**
 * race_guest MOUNT SECONDS: does everything that a guest can do below
 * `MOUNT/d`, while another process swaps `d` for a link to a directory outside.
 * Prints how often each was tried, refused, and seen to reach outside.
 */

import { WasiError } from "../../../runtime/wasi/errno.ts";
import { HostTree } from "../../../runtime/wasi/fs/host_tree.ts";
import { resolve } from "../../../runtime/wasi/fs/resolver.ts";
import type {
  FileTree,
  OpenOptions,
  TreePath,
} from "../../../runtime/wasi/fs/types.ts";
import type { RaceCounts } from "./race.ts";

const [mount = "", seconds = ""] = Deno.args;
const tree: FileTree = new HostTree({ root: mount });
const ALL: OpenOptions = {
  read: true,
  write: true,
  create: true,
  exclusive: false,
  truncate: false,
};
const READ: OpenOptions = { ...ALL, write: false, create: false };
const counts: Record<string, RaceCounts> = {};
const bytes = new Uint8Array(64);

function find(path: string): TreePath {
  return resolve(tree, [], path, { followLast: true, symlinks: "refuse" }).path;
}

function isOutside(text: string): boolean {
  return text.includes("OUTSIDE");
}

/** What a guest does; true if it saw something from outside. */
const acts: Record<string, (i: number) => boolean> = {
  read: () => {
    const file = tree.open(find("d/file"), READ);
    try {
      const length = file.read(bytes, 0);
      return isOutside(new TextDecoder().decode(bytes.subarray(0, length)));
    } finally {
      file.close();
    }
  },
  write: (i) => {
    const file = tree.open(find("d/write"), { ...ALL, truncate: i % 2 === 0 });
    try {
      file.write(new TextEncoder().encode("GUEST"), 0);
      return false;
    } finally {
      file.close();
    }
  },
  list: () => {
    const path = find("d");
    return tree.readDirectory(path).some(({ name }) => isOutside(name));
  },
  stat: () =>
    resolve(tree, [], "d/file", {
      followLast: true,
      symlinks: "refuse",
    }).stat?.size === 999,
  times: () => {
    tree.setTimes(find("d/times"), { mtimeNs: 1_000_000_000n });
    return false;
  },
  create: (i) => {
    const options = { ...ALL, exclusive: true };
    const file = tree.open(find(`d/create-${i}`), options);
    file.write(new TextEncoder().encode("GUEST"), 0);
    file.close();
    tree.unlink(find(`d/create-${i}`));
    return false;
  },
  makeDirectory: (i) => {
    tree.makeDirectory(find(`d/directory-${i}`));
    return false;
  },
  unlink: (i) => {
    tree.unlink(find(`d/victim-${i % 1000}`));
    return false;
  },
  rename: (i) => {
    tree.rename(find(`f-${i % 1000}`), find(`d/renamed-${i}`));
    return false;
  },
};

const end = performance.now() + Number(seconds) * 1000;
for (let i = 0; performance.now() < end; i++) {
  for (const [name, act] of Object.entries(acts)) {
    const count = counts[name] ??= { tried: 0, refused: 0, outside: 0 };
    count.tried++;
    try {
      if (act(i)) count.outside++;
    } catch (error) {
      if (!(error instanceof WasiError)) throw error;
      count.refused++;
    }
  }
}
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(counts)));
