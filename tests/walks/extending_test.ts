import { assert, assertEquals, assertMatch } from "@std/assert";
import { CHECKOUT, Folder } from "../templates/_generated.ts";
import { readSection } from "./_document.ts";
import { type GuideFile, guideFiles } from "./_guide.ts";
import { words } from "./_terminal.ts";

const PAGE = "docs/extending.md";
const TEXT = await Deno.readTextFile(`${CHECKOUT}/${PAGE}`);
const PROJECT = "my-extensions";

/** Sections of the guide, with the suite that each has to use. */
const POINTS: Readonly<Record<string, string>> = {
  "A runtime backend": "testRuntime",
  "A communication channel": "testChannel",
  "An application wrapper": "testWrapper",
  "A security capability": "testCapabilityKind",
  "A template": "testTemplate",
};

for (const [heading, suite] of Object.entries(POINTS)) {
  Deno.test(`${heading} is a file, a registration and a short test`, () => {
    const [extension, registration, test, use, ...rest] = filesOf(heading);
    assertEquals(rest, []);
    assert(!extension.text.includes(".register("), extension.name);
    assertEquals(registration.text.match(/\.register\(/g)?.length, 1);
    assertMatch(registration.text, importOf(extension));
    assertEquals(test.name, extension.name.replace(".ts", "_test.ts"));
    assertMatch(test.text, new RegExp(`^(?:await )?${suite}\\(`, "m"));
    assert(test.text.trim().split("\n").length < 10, test.text);
    assertEquals(use.name, registration.name.replace(".ts", "_test.ts"));
    // what is registered is used, and not what it was made of
    assertMatch(`${test.text}${use.text}`, importOf(registration));
  });
}

Deno.test("whoever follows the guide has extensions that pass", async () => {
  await using folder = await Folder.make();
  const { commands } = await readSection(PAGE, "Begin");
  const generates = commands.filter((line) => line.includes(" generate "));
  assertEquals(generates.length, Object.keys(POINTS).length);
  // a checkout brings what would be added
  assertEquals(commands.filter((line) => !generates.includes(line)), [
    `cd ${PROJECT}`,
    "deno task test",
    "deno add jsr:@std/assert",
  ]);
  const [first = "", ...others] = generates;
  await generate(folder, first, "");
  for (const line of others) await generate(folder, line, PROJECT);

  const guide = [...Object.keys(POINTS), "A resource limit"].flatMap(filesOf);
  for (const { name, text } of guide) {
    const path = `${folder.path}/${PROJECT}/${name}`;
    await Deno.writeTextFile(path, text, { createNew: true });
  }
  const tests = guide.filter(({ name }) => name.endsWith("_test.ts"))
    .map(({ name }) => name);
  const [output] = await Promise.all([
    folder.deno(["test", "-A", "--no-check", ...tests], PROJECT),
    // those that were generated as well; their suites run in tests/templates
    folder.deno(["check"], PROJECT).then(() => folder.deno(["lint"], PROJECT)),
  ]);
  for (const name of tests) {
    assertMatch(output, new RegExp(`running [1-9]\\d* tests? from ./${name}`));
  }
  assertMatch(output, /^ok \| \d+ passed \| 0 failed/m);
  assert(!output.includes("ignored"), output);
});

/** Runs a line as it stands in the guide, with the checkout as the package. */
async function generate(
  folder: Folder,
  line: string,
  where: string,
): Promise<void> {
  const [program, ...args] = words(line);
  assertEquals(program, "deno");
  const own = args.map((each) =>
    each === "jsr:@wasm-sandbox/core/cli" ? `${CHECKOUT}/cli.ts` : each
  );
  assert(own.includes(`${CHECKOUT}/cli.ts`), line);
  await folder.deno([...own, "--link", CHECKOUT], where);
  const name = args[args.indexOf("--name") + 1];
  for (const file of [`${name}.ts`, `${name}_test.ts`]) {
    await Deno.stat(`${folder.path}/${PROJECT}/${file}`);
  }
}

type Files = [GuideFile, GuideFile, GuideFile, GuideFile, ...GuideFile[]];

function filesOf(heading: string): Files {
  return guideFiles(TEXT, heading) as Files;
}

function importOf({ name }: GuideFile): RegExp {
  return new RegExp(`^import .* from "\\./${name}";$`, "m");
}
