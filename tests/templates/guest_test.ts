import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { GUEST_TEMPLATE } from "../../templates/guest/mod.ts";
import { GUEST_LANGUAGES } from "../../templates/guest/languages.ts";
import { testTemplate } from "../../testing/mod.ts";
import { Folder } from "./_generated.ts";

const LANGUAGES = Object.keys(GUEST_LANGUAGES);

testTemplate("guest", GUEST_TEMPLATE, {
  // odd_test.ts has all languages
  configs: ["c", "javascript"].map((language) => ({
    language,
    name: "greeter",
    greeting: "Hello",
  })),
});

Deno.test("guest carries the libraries as they are", async () => {
  const libraries: Readonly<Record<string, string>> = {
    assemblyscript: "assembly/wasm_sandbox.ts",
    c: "wasm_sandbox.h",
    go: "wasmsandbox/wasm_sandbox.go",
    rust: "wasm_sandbox.rs",
    zig: "wasm_sandbox.zig",
  };
  for (const [language, path] of Object.entries(libraries)) {
    const files = await GUEST_TEMPLATE.render({ language });
    const name = path.slice(path.lastIndexOf("/") + 1);
    const library = await Deno.readTextFile(
      `communication/guest/${language}/${name}`,
    );
    assertEquals(files.get(path), library);
  }
});

Deno.test("guest packs scripts as the examples do", async () => {
  const files = await GUEST_TEMPLATE.render({ language: "javascript" });
  const own = files.get("pack.ts") ?? "";
  const example = await Deno.readTextFile("examples/apps/quickjs/pack.ts");
  const start = "/** Where `packed_script` is in memory.";
  assert(own.includes(start));
  assertEquals(
    own.slice(own.indexOf(start)),
    example.slice(example.indexOf(start)),
  );
});

/** What tells whether a language can be built for WebAssembly here. */
const TOOLS: Readonly<Record<string, readonly string[]>> = {
  c: ["clang", "--print-targets"],
  go: ["go", "version"],
  rust: ["rustc", "--print=sysroot"],
  zig: ["zig", "version"],
};

/** Whether a compiler is at hand, with what it takes. */
async function isAtHand(language: string): Promise<boolean> {
  const [name, ...args] = TOOLS[language] ?? [];
  if (name === undefined) return true;
  try {
    const { success, stdout } = await new Deno.Command(name, { args }).output();
    const text = new TextDecoder().decode(stdout).trim();
    if (!success) return false;
    if (language === "c") return text.includes("wasm32");
    if (language !== "rust") return true;
    const target = `${text}/lib/rustlib/wasm32-unknown-unknown`;
    return (await Deno.stat(target)).isDirectory;
  } catch {
    return false;
  }
}

/** Whatever a string of the language or of JSON could trip over. */
const ODD = "*/ \"'` \\ {0} {s} %s ${evil()} \u2028 ??/ C:\\new 日本語";

for (const language of LANGUAGES) {
  Deno.test({
    name: `guest in ${language} builds, runs and passes its test`,
    ignore: !await isAtHand(language),
    async fn() {
      await using folder = await Folder.make();
      await folder.generate("guest", { language, name: ODD, greeting: ODD });
      // the imports are long where they name a checkout
      const built = await folder.deno(["task", "build"], "guest");
      assertStringIncludes(built, "Task build");
      const test = ["test", "-A", "--no-check"];
      assertStringIncludes(await folder.deno(test, "guest"), "1 passed");
    },
  });
}

Deno.test("guest is formatted and type-checks in all languages", async () => {
  await using folder = await Folder.make();
  for (const language of LANGUAGES) {
    await folder.generate("guest", { language }, language);
    const ignored = "--ignore=deno.json,assembly/";
    await folder.deno(["fmt", "--check", ignored], language);
    await folder.deno(["lint"], language);
  }
  const scripts = LANGUAGES.map((language) => `${language}/*.ts`);
  await folder.deno(["check", "--config=c/deno.json", ...scripts]);
});

Deno.test("guest in javascript says where the interpreter comes from", async () => {
  const config = { language: "javascript" };
  const files = await GUEST_TEMPLATE.render(config);
  assertStringIncludes(files.get("README.md") ?? "", "quickjs.wasm beside it");
  assertStringIncludes(GUEST_TEMPLATE.next(config)[0] ?? "", "quickjs.wasm");
});
