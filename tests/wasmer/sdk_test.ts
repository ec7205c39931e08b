import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { bundle, PROGRAM } from "../../runtime/wasmer/build.ts";
import { imported, relinked } from "../../runtime/wasmer/links.ts";

Deno.test("the program for Wasmer is what its sources give", async () => {
  let built: string;
  try {
    built = await bundle();
  } catch (error) {
    if (Deno.env.has("CI")) throw error;
    // deno-lint-ignore no-console -- a skipped test is to be seen
    console.warn(`not checked: there is no bundler here (${error})`);
    return;
  }
  assert(
    built === await Deno.readTextFile(PROGRAM),
    "child_program.js is stale: run `deno task child` and commit it",
  );
});

const OPEN = `
  const { WasmerRuntime } = await import(${
  JSON.stringify(import.meta.resolve("../../runtime/wasmer/mod.ts"))
});
  try {
    await using _ = await WasmerRuntime.open();
    console.log("opened");
  } catch (error) {
    console.log(error.code, JSON.stringify(error.details));
  }`;

/** What a program says that opens the runtime with less than all rights. */
async function openWith(
  flags: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--no-lock",
      "--no-config",
      "--no-check",
      ...flags,
      `data:application/javascript,${encodeURIComponent(OPEN)}`,
    ],
    env: { NO_COLOR: "1", ...env },
    stderr: "null",
  }).output();
  return new TextDecoder().decode(stdout);
}

Deno.test("open() says how to get the SDK where there is none", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const said = await openWith(["-A", "--cached-only"], { DENO_DIR: folder });
    assert(said.startsWith("runtime-unavailable"), said);
    assertStringIncludes(said, "deno cache npm:@wasmer/sdk");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("open() asks for the one folder that it reads", async () => {
  const folder = new URL("../../runtime/", import.meta.url).pathname;
  const said = await openWith([`--allow-read=${folder}`]);
  assert(said.startsWith("runtime-unavailable"), said);
  const [, sdk = ""] = /--allow-read=([^"]+)/.exec(said) ?? [];
  const again = await openWith([`--allow-read=${folder},${sdk}`]);
  assertEquals(again.trim(), "opened");
});

Deno.test("relinked() changes imports at the start of lines and no others", () => {
  const text = `import "./a.js";
import init, { b } from "../pkg/b.js"
export { c } from './c.js';
const later = await import("./d.js");
import e from "elsewhere";`;
  assertEquals(imported("/dist/x.js", text), [
    "/dist/a.js",
    "/pkg/b.js",
    "/dist/c.js",
  ]);
  assertEquals(
    relinked("/dist/x.js", text, (path) => `blob:${path}`),
    `import "blob:/dist/a.js";
import init, { b } from "blob:/pkg/b.js"
export { c } from 'blob:/dist/c.js';
const later = await import("./d.js");
import e from "elsewhere";`,
  );
});
