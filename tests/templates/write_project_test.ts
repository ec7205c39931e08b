import { assert, assertEquals, assertRejects } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { planProject, writeProject } from "../../templates/mod.ts";
import { inFolder, tree } from "./_folders.ts";

const FILES = new Map([
  ["deno.json", "{}\n"],
  ["src/main.ts", "export {};\n"],
  ["src/deep/er.ts", "// deep\n"],
]);

const WRITTEN = {
  ...Object.fromEntries(FILES),
  "src/": "",
  "src/deep/": "",
};

async function refused(
  folder: string,
  text: string,
  files: ReadonlyMap<string, string> = FILES,
  force = false,
): Promise<SandboxError> {
  const error = await assertRejects(
    () => writeProject(files, folder, { force }),
    SandboxError,
    text,
  );
  assertEquals(error.code, "project-unwritable");
  return error;
}

Deno.test("writeProject() makes a folder, and those above it", () =>
  inFolder(async (folder) => {
    const target = `${folder}/a/b/`;
    const changes = await writeProject(FILES, target);
    assert(changes.every(({ kind }) => kind === "new"));
    assertEquals(await tree(target), WRITTEN);
    assertEquals(Object.keys(await tree(`${folder}/a`))[0], "b/");
  }));

Deno.test("writeProject() adds to a folder, and leaves what is the same", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/other`, "other");
    await Deno.writeTextFile(`${folder}/deno.json`, "{}\n");
    const changes = await writeProject(FILES, folder);
    assertEquals(changes.map(({ kind }) => kind), ["same", "new", "new"]);
    assertEquals(await tree(folder), { ...WRITTEN, other: "other" });
    const again = await writeProject(FILES, folder);
    assert(again.every(({ kind }) => kind === "same"));
  }));

Deno.test("writeProject() replaces nothing unless it is forced", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/deno.json`, "mine");
    await Deno.mkdir(`${folder}/src`);
    await Deno.writeTextFile(`${folder}/src/main.ts`, "mine");
    const before = await tree(folder);
    const error = await refused(
      folder,
      '"deno.json", "src/main.ts" (use force)',
    );
    assert(SandboxError.is(error, "project-unwritable"));
    assertEquals(error.details.taken, ["deno.json", "src/main.ts"]);
    assertEquals(await tree(folder), before);
    const plan = await planProject(FILES, folder);
    assertEquals(plan.map(({ before }) => before), ["mine", "mine", undefined]);
    await writeProject(FILES, folder, { force: true });
    assertEquals(await tree(folder), WRITTEN);
  }));

Deno.test("writeProject() writes nowhere else", () =>
  inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/outside`);
    await Deno.mkdir(`${folder}/project`);
    await Deno.symlink(`${folder}/outside`, `${folder}/project/src`);
    await refused(`${folder}/project`, "is a symbolic link", FILES, true);
    await Deno.remove(`${folder}/project/src`);
    await Deno.symlink(`${folder}/outside/x`, `${folder}/project/deno.json`);
    await refused(`${folder}/project`, "is no plain file", FILES, true);
    await Deno.remove(`${folder}/project/deno.json`);
    await Deno.writeTextFile(`${folder}/project/src`, "a file");
    await refused(`${folder}/project`, "is a file", FILES, true);
    assertEquals(await tree(`${folder}/outside`), {});
    assertEquals(await tree(`${folder}/project`), { src: "a file" });
    await refused(`${folder}/project/src`, "is a file");
    for (const path of ["../x", "/x", "a/../../x", "a//b", "a\\..\\x"]) {
      await refused(`${folder}/outside`, "path", new Map([[path, "x"]]), true);
    }
    assertEquals(await tree(`${folder}/outside`), {});
  }));

Deno.test("writeProject() takes back what it wrote if it cannot go on", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/deno.json`, "mine");
    await Deno.mkdir(`${folder}/src/deep/er.ts`, { recursive: true });
    const before = await tree(folder);
    await refused(folder, "is a folder", FILES, true);
    assertEquals(await tree(folder), before);
    // what can be seen only while it is written
    const clash = new Map([...FILES, ["src/main.ts/x.ts", "x"]]);
    await Deno.remove(`${folder}/src`, { recursive: true });
    await refused(folder, "", clash, true);
    assertEquals(await tree(folder), { "deno.json": "mine" });
    await refused(`${folder}/new`, "", clash);
    assertEquals(await tree(folder), { "deno.json": "mine" });
  }));

Deno.test("writeProject() writes nothing once it is aborted", () =>
  inFolder(async (folder) => {
    const signal = AbortSignal.abort(new Error("enough"));
    await assertRejects(
      () => writeProject(FILES, `${folder}/new`, { signal }),
      Error,
      "enough",
    );
    assertEquals(await tree(folder), {});
    const controller = new AbortController();
    const writing = writeProject(FILES, `${folder}/new`, controller);
    controller.abort(new Error("enough"));
    await assertRejects(() => writing, Error, "enough");
    assertEquals(await tree(folder), {});
  }));

Deno.test("writeProject() takes a path of slashes in no time", async () => {
  const path = `/dev/null${"/".repeat(3_000)}x`;
  const start = performance.now();
  await assertRejects(() => writeProject(new Map([["a.md", "a\n"]]), path));
  assert(performance.now() - start < 10_000);
});
