/**
 * The host's side of the hostile WASI guests: the folders that they find, and
 * what must be the same afterwards.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { Layout } from "./hostile_wasi_cases.ts";

/** What no guest may ever see. */
export const SECRET = "S3CRET-OUTSIDE";

/** Files that each mount begins with. */
export const MOUNTED: Readonly<Record<string, string>> = Object.freeze({
  "/box/in.txt": "inside\n",
  "/box/sub/file.txt": "below\n",
  "/box/sub/deep/file.txt": "far below\n",
  "/ro/ro.txt": "do not touch",
  "/ro/sub/below.txt": "do not touch either",
  "/ro/empty/.keep": "",
  "/tmp/tmp.txt": "temporary\n",
});

/** A folder with the mounts, and beside them what no guest may reach. */
export class HostileHost implements AsyncDisposable {
  /** The folder, without links in its path. */
  readonly root: string;
  readonly #stack: AsyncDisposableStack;

  private constructor(root: string, stack: AsyncDisposableStack) {
    this.root = root;
    this.#stack = stack;
  }

  /**
   * Makes the folders.
   *
   * @param layout What lies in them.
   * @returns The folders; dispose them to remove them.
   */
  static async create(layout: Layout): Promise<HostileHost> {
    await using stack = new AsyncDisposableStack();
    const root = await Deno.realPath(await Deno.makeTempDir());
    // deeper than a path may be long, so that the system's own tool is needed
    stack.defer(async () => {
      await run("rm", ["-rf", root]);
    });
    for (const [path, text] of Object.entries(MOUNTED)) {
      await Deno.mkdir(`${root}${path}`.replace(/\/[^/]*$/, ""), {
        recursive: true,
      });
      await Deno.writeTextFile(`${root}${path}`, text);
    }
    await Deno.mkdir(`${root}/outside/vdir`, { recursive: true });
    await Deno.writeTextFile(`${root}/outside/secret.txt`, SECRET);
    await Deno.writeTextFile(`${root}/outside/victim.txt`, "victim");
    await Deno.symlink("secret.txt", `${root}/outside/link`);
    await LAYOUTS[layout](root);
    return new HostileHost(root, stack.move());
  }

  /** Everything that must stay byte for byte as it is. */
  async snapshot(): Promise<readonly string[]> {
    const lines: string[] = [];
    const top: string[] = [];
    for await (const { name } of Deno.readDir(this.root)) top.push(name);
    lines.push(top.sort().join(" "));
    for (const name of ["outside", "ro"]) {
      await list(`${this.root}/${name}`, lines);
    }
    return lines;
  }

  /** Fails if something outside changed. */
  async assertUnchanged(before: readonly string[]): Promise<void> {
    assertEquals(await this.snapshot(), before);
  }

  /** Removes the folders. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** What a guest must not know of the host: its numbers of files and devices. */
export async function hostNumbers(root: string): Promise<readonly string[]> {
  const numbers = new Set<string>();
  for (const path of ["/box", "/box/in.txt", "/box/sub", "/ro", "/ro/ro.txt"]) {
    const { ino, dev } = await Deno.lstat(`${root}${path}`);
    // a small number may be there for other reasons
    if (ino !== null && ino > 1_000) numbers.add(`${ino}`);
    if (dev > 1_000) numbers.add(`${dev}`);
  }
  return [...numbers];
}

const LAYOUTS: Readonly<Record<Layout, (root: string) => Promise<void>>> = {
  plain: async () => {},
  async links(root) {
    const links: Record<string, string> = {
      "abs": "/etc/passwd",
      "rel": "../outside/secret.txt",
      "dir": `${root}/outside`,
      "updir": "../outside",
      "proc": "/proc/self/root",
      "loop": "loop",
      "first": "second",
      "second": "rel",
      "sub/up": "..",
      "sub/over": "../..",
      "dangling": "../outside/created.txt",
      "good": "in.txt",
    };
    for (const [path, target] of Object.entries(links)) {
      await Deno.symlink(target, `${root}/box/${path}`);
    }
  },
  async special(root) {
    await run("mkfifo", [`${root}/box/fifo`]);
    // its end removes a socket by the name that it was made with
    const listener = Deno.listen({ transport: "unix", path: `${root}/made` });
    await Deno.rename(`${root}/made`, `${root}/box/socket`);
    listener.close();
    await Deno.symlink("/dev/zero", `${root}/box/zero`);
    await Deno.symlink("/dev/tty", `${root}/box/tty`);
    await Deno.create(`${root}/box/sparse`).then((file) => file.close());
    await Deno.truncate(`${root}/box/sparse`, 2 ** 40);
  },
  async hard(root) {
    await Deno.link(`${root}/outside/victim.txt`, `${root}/box/hard.txt`);
  },
};

async function list(path: string, lines: string[]): Promise<void> {
  const { size, isDirectory, isSymlink, mtime, mode, nlink } = await Deno.lstat(
    path,
  );
  const content = isDirectory
    ? ""
    : isSymlink
    ? await Deno.readLink(path)
    : await Deno.readTextFile(path);
  lines.push(
    [path, size, mtime?.getTime(), mode, nlink, content].join("|"),
  );
  if (!isDirectory) return;
  const names: string[] = [];
  for await (const { name } of Deno.readDir(path)) names.push(name);
  for (const name of names.sort()) await list(`${path}/${name}`, lines);
}

async function run(program: string, args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, {
    args: [...args],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}
