import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { planProject, writeProject } from "../../templates/mod.ts";
import { Staging } from "../../templates/staging.ts";
import { inFolder, tree } from "./_folders.ts";

const FILES = new Map([["a.md", "a\n"], ["src/b.md", "b\n"]]);
const WRITTEN = { "a.md": "a\n", "src/": "", "src/b.md": "b\n" };

/** Files whose paths are asked for one after the other, with something between. */
function interrupted(
  between: (path: string) => void,
): ReadonlyMap<string, string> {
  const files = new Map(FILES);
  let round = 0;
  files[Symbol.iterator] = function* () {
    round++;
    for (const [path, text] of FILES) {
      // the last round is that which looks at what is there
      if (round === 2) between(path);
      yield [path, text] as [string, string];
    }
    return undefined;
  };
  return files;
}

async function refused(writing: Promise<unknown>): Promise<string> {
  const error = await assertRejects(() => writing, SandboxError);
  assert(SandboxError.is(error, "project-unwritable"));
  return error.message;
}

/** How many files are written by who is killed. */
const MANY = 3_000;

/** Writes many files to a folder, until it is killed. */
const ENDLESS = `
  const { writeProject } = await import(Deno.args[0]);
  const files = new Map();
  for (let at = 0; at < ${MANY}; at++) files.set("f" + at + ".md", "new\\n");
  await writeProject(files, Deno.args[1], { force: true });
`;

/** Has files written, and kills who does when that has begun. */
async function killed(
  target: string,
  hasBegun: () => Promise<boolean>,
): Promise<void> {
  const url = import.meta.resolve("../../templates/write_project.ts");
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", ENDLESS, url, target],
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
  while (!await hasBegun()) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  child.kill("SIGKILL");
  assertEquals((await child.status).signal, "SIGKILL");
}

/** Whether there is one, with something in it if that is asked for. */
async function hasStaging(folder: string, inside = ""): Promise<boolean> {
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.startsWith(".wasm-sandbox-")) continue;
    const found = await Deno.lstat(`${folder}/${name}${inside}`)
      .catch(() => undefined);
    if (found !== undefined) return true;
  }
  return false;
}

Deno.test("writeProject() that is killed leaves no project, and the next one cleans up", () =>
  inFolder(async (folder) => {
    await killed(`${folder}/app`, () => hasStaging(folder, "/lock"));
    assert(await hasStaging(folder));
    assertEquals(Object.keys(await tree(folder)).includes("app/"), false);
    await writeProject(FILES, `${folder}/other`);
    assertEquals(await hasStaging(folder), false);
  }));

Deno.test("writeProject() that is killed leaves each file as it was or is to be", () =>
  inFolder(async (folder) => {
    for (let at = 0; at < MANY; at++) {
      await Deno.writeTextFile(`${folder}/f${at}.md`, "old\n");
    }
    const textOf = (at: number) => Deno.readTextFile(`${folder}/f${at}.md`);
    await killed(folder, async () => await textOf(0) === "new\n");
    // it was killed while it replaced them
    assertEquals(await textOf(0), "new\n");
    assertEquals(await textOf(MANY - 1), "old\n");
    const left = Object.entries(await tree(folder))
      .filter(([path]) => /^f\d+\.md$/.test(path));
    assertEquals(left.length, MANY);
    assert(left.every(([, text]) => text === "old\n" || text === "new\n"));
    await writeProject(FILES, folder);
    assertEquals(await hasStaging(folder), false);
  }));

Deno.test("writeProject() leaves alone what another one is about to write", () =>
  inFolder(async (folder) => {
    const others = Array.from(
      { length: 20 },
      (_, index) => writeProject(FILES, `${folder}/app${index}`),
    );
    await Promise.all(others);
    for (const [index] of others.entries()) {
      assertEquals(await tree(`${folder}/app${index}`), WRITTEN);
    }
    assertEquals(await hasStaging(folder), false);
    // begun, and not yet locked
    await Deno.mkdir(`${folder}/.wasm-sandbox-01234567.tmp`);
    // whoever opens it waits for ever
    await Deno.mkdir(`${folder}/.wasm-sandbox-89abcdef.tmp`);
    const pipe = `${folder}/.wasm-sandbox-89abcdef.tmp/lock`;
    await new Deno.Command("mkfifo", { args: [pipe] }).output();
    await writeProject(FILES, `${folder}/more`);
    assert(await hasStaging(folder));
  }));

Deno.test("Staging keeps what it must, and removes what is old and nobody's", () =>
  inFolder(async (folder) => {
    const old = `${folder}/.wasm-sandbox-00000000.tmp`;
    await Deno.mkdir(old);
    await Deno.writeTextFile(`${old}/lock.new`, "");
    await Deno.utime(old, new Date(0), new Date(0));
    let kept = "";
    {
      await using staging = await Staging.make(folder);
      await Deno.writeTextFile(`${staging.path}/0.old`, "mine");
      kept = staging.keep();
    }
    await writeProject(FILES, folder);
    assertEquals(await Deno.readTextFile(`${kept}/0.old`), "mine");
    await assertRejects(() => Deno.lstat(old), Deno.errors.NotFound);
  }));

Deno.test("writeProject() of two at once gives one project, and a reason", () =>
  inFolder(async (folder) => {
    const both = await Promise.allSettled([
      writeProject(new Map([["one.md", "1\n"]]), `${folder}/app`),
      writeProject(new Map([["two.md", "2\n"]]), `${folder}/app`),
    ]);
    const failed = both.filter(({ status }) => status === "rejected");
    for (const each of failed) {
      assert(each.status === "rejected" && SandboxError.is(each.reason));
    }
    const written = Object.keys(await tree(`${folder}/app`));
    assertEquals(written.length, 2 - failed.length);
  }));

Deno.test("writeProject() takes back folders above, too", () =>
  inFolder(async (folder) => {
    const long = "x".repeat(256);
    await refused(writeProject(FILES, `${folder}/n/e/w/${long}`));
    assertEquals(await tree(folder), {});
    await writeProject(FILES, `${folder}/n/./e/../w/.//`);
    assertEquals(await tree(`${folder}/n/w`), WRITTEN);
    assertStringIncludes(await refused(writeProject(FILES, "")), "no name");
    // a name may be as long as the system lets it
    await writeProject(FILES, `${folder}/${"y".repeat(255)}`);
  }));

Deno.test("writeProject() replaces nothing that appears while it writes", () =>
  inFolder(async (folder) => {
    const files = interrupted((path) => {
      if (path === "src/b.md") Deno.writeTextFileSync(`${folder}/a.md`, "mine");
    });
    await refused(writeProject(files, folder, { force: true }));
    assertEquals(await tree(folder), { "a.md": "mine" });
  }));

Deno.test("writeProject() follows no link that appears while it writes", () =>
  inFolder(async (folder) => {
    const outside = `${folder}/outside`;
    const project = `${folder}/project`;
    await Deno.mkdir(outside);
    await Deno.mkdir(project);
    const writing = writeProject(FILES, project, { force: true });
    // it is planned at once, and written when files have been
    await Deno.symlink(outside, `${project}/src`);
    await writing.catch((error) => assert(SandboxError.is(error)));
    assertEquals(await tree(outside), {});
  }));

Deno.test("writeProject() replaces a link, and not what it leads to", () =>
  inFolder(async (folder) => {
    const outside = `${folder}/outside`;
    const project = `${folder}/project`;
    await Deno.writeTextFile(outside, "mine");
    await Deno.mkdir(project);
    await Deno.writeTextFile(`${project}/a.md`, "old");
    const files = interrupted((path) => {
      if (path !== "src/b.md") return;
      Deno.removeSync(`${project}/a.md`);
      Deno.symlinkSync(outside, `${project}/a.md`);
    });
    await writeProject(files, project, { force: true });
    assertEquals(await Deno.readTextFile(outside), "mine");
    assertEquals(await tree(project), WRITTEN);
  }));

Deno.test("planProject() reads no more of a file than can be shown", () =>
  inFolder(async (folder) => {
    using file = await Deno.open(`${folder}/a.md`, {
      write: true,
      create: true,
    });
    // a file with nothing in it, and as long as a disk
    await file.truncate(2 ** 40);
    await Deno.mkdir(`${folder}/src`);
    for (
      const bytes of [[0x80], [0x62, 0, 0x0a], [0xef, 0xbb, 0xbf, 0x62, 10]]
    ) {
      await Deno.writeFile(`${folder}/src/b.md`, Uint8Array.from(bytes));
      const plan = await planProject(FILES, folder);
      assertEquals(plan.map(({ kind }) => kind), ["changed", "changed"]);
      assertEquals(plan[0]?.before, undefined);
      assertEquals(
        plan[1]?.before,
        bytes[0] === 0xef ? "\ufeffb\n" : undefined,
      );
    }
  }));

Deno.test("writeProject() takes no pipe and no device for a file", () =>
  inFolder(async (folder) => {
    await new Deno.Command("mkfifo", { args: [`${folder}/a.md`] }).output();
    const options = { force: true };
    assertStringIncludes(
      await refused(writeProject(FILES, folder, options)),
      "no plain file",
    );
    await refused(writeProject(FILES, `${folder}/a.md`, options));
    await refused(writeProject(FILES, `${folder}/a.md/app`, options));
    await refused(writeProject(FILES, "/dev/null", options));
    await refused(writeProject(FILES, "/dev/null/app", options));
    await refused(writeProject(FILES, `${folder}/nul\0`, options));
  }));
