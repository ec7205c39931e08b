import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { inFolder } from "../templates/_folders.ts";
import { run } from "./_run.ts";

Deno.test("generate links checkouts alone", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/deno.json`, '{ "name": "x" }');
    await Deno.mkdir(`${folder}/pipe`);
    const pipe = `${folder}/pipe/deno.json`;
    await new Deno.Command("mkfifo", { args: [pipe] }).output();
    await Deno.mkdir(`${folder}/zero`);
    await Deno.symlink("/dev/zero", `${folder}/zero/deno.json`);
    const name = "@wasm-sandbox/core";
    const wrong = {
      list: { name, exports: ["./mod.ts"], imports: {} },
      text: { name, exports: "./mod.ts", imports: {} },
      number: { name, exports: { ".": 1 }, imports: {} },
      target: { name, exports: { ".": "./mod.ts" }, imports: { x: 1 } },
      away: { name, exports: { ".": "https://evil.example/" }, imports: {} },
      above: { name, exports: { ".": "./../mod.ts" }, imports: {} },
    };
    for (const [each, config] of Object.entries(wrong)) {
      await Deno.mkdir(`${folder}/${each}`);
      const text = JSON.stringify(config);
      await Deno.writeTextFile(`${folder}/${each}/deno.json`, text);
    }
    const places = ["", "gone", "pipe", "zero", ...Object.keys(wrong)]
      .map((each) => `${folder}/${each}`);
    for (
      const link of [
        ...places,
        "file://evil.example/share",
        "file:///etc?x",
        "https://evil.example/",
        "nul\0",
        "/dev/null",
        "/",
      ]
    ) {
      const target = `${folder}/app`;
      const { code, stderr } = await run(
        ["generate", "generic", target, "--link", link],
      );
      assertEquals(code, 2, link);
      assertStringIncludes(
        stderr,
        "is no checkout of @wasm-sandbox/core",
        link,
      );
      await Deno.lstat(target).then(() => assert(false), () => {});
    }
  }));
