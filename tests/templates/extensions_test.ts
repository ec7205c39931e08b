import { assert, assertEquals, assertRejects } from "@std/assert";
import { ChannelFactory } from "../../communication/mod.ts";
import { RuntimeFactory } from "../../runtime/mod.ts";
import { CapabilityKinds } from "../../security/mod.ts";
import { TemplateFactory } from "../../templates/mod.ts";
import { testTemplate } from "../../testing/mod.ts";
import { WrapperFactory } from "../../wrappers/mod.ts";
import { Folder } from "./_generated.ts";

const TEMPLATES = new TemplateFactory();

/** Each with what `start` prints. */
const POINTS: Readonly<Record<string, string>> = {
  capability: "resource10 is refused",
  channel: "the host's end receives { answer: 42 }",
  runtime: "the answer is 42",
  template: 'export const MINE = "\\"; evil(); \\""',
  wrapper: "plugin, oracle",
};

const TEXTS = { name: "my_own", description: "does something." };

for (const point of Object.keys(POINTS)) {
  testTemplate(point, await TEMPLATES.create(point), {
    configs: [TEXTS, { ...TEXTS, into: true }],
  });
}

Deno.test("templates of extension points write one file and a short test", async () => {
  for (const point of Object.keys(POINTS)) {
    const files = await TEMPLATES.render(point, TEXTS);
    assertEquals([...files.keys()], [
      "deno.json",
      "main.ts",
      "my_own.ts",
      "my_own_test.ts",
      "README.md",
    ]);
    const test = files.get("my_own_test.ts") ?? "";
    assert(test.trim().split("\n").length < 10, test);
    const main = files.get("main.ts") ?? "";
    assertEquals(main.match(/\.register\(/g)?.length, 1, main);
    // a project that is there gets those two files alone
    const into = await TEMPLATES.render(point, { ...TEXTS, into: true });
    assertEquals([...into], [...files].slice(2, 4));
  }
});

Deno.test("templates of extension points refuse names that are taken", async () => {
  const taken: Readonly<Record<string, Iterable<string>>> = {
    capability: [...new CapabilityKinds()].map(({ type }) => type),
    channel: new ChannelFactory(),
    runtime: new RuntimeFactory(),
    template: TEMPLATES,
    wrapper: new WrapperFactory(),
  };
  for (const [point, names] of Object.entries(taken)) {
    for (const name of names) {
      for (const each of [name, `${name}_`, name.replace("_", "__")]) {
        const render = () => TEMPLATES.render(point, { name: each });
        await assertRejects(render, TypeError, "", each);
      }
    }
  }
});

Deno.test("templates of extension points say how to register what they write", async () => {
  for (const point of Object.keys(POINTS)) {
    const template = await TEMPLATES.create(point);
    const [first = ""] = template.next?.({ ...TEXTS, into: true }) ?? [];
    const main = (await template.render(TEXTS)).get("main.ts") ?? "";
    const name = /\b(?:MyOwn|MY_OWN)\w+/.exec(first)?.[0];
    assert(name !== undefined && main.includes(name), first);
  }
});

/** Breaks out of whatever is not closed well. */
const ODD = "*/ ${evil()} \" ' ` \\ \u2028 // C:\\new\n日本語";

Deno.test("templates of extension points run and pass their own tests", async () => {
  await using folder = await Folder.make();
  const names = Object.keys(POINTS);
  for (const point of names) {
    await folder.generate(point);
    const odd = { name: "window_", description: ODD };
    await folder.generate(point, odd, `odd_${point}`);
  }
  // the imports are long where they name a checkout
  await folder.deno(["fmt", "--check", "--ignore=**/deno.json", ...names]);
  await folder.deno(["lint", ...names]);
  const scripts = names.flatMap((name) => [`${name}/*.ts`, `odd_${name}/*.ts`]);
  await folder.deno(["check", "--config=channel/deno.json", ...scripts]);
  // the suite for runtimes takes as long as all others
  const { runtime, ...others } = POINTS;
  await Promise.all([{ runtime }, others].map(async (points) => {
    for (const [point, expected = ""] of Object.entries(points)) {
      const shown = await folder.deno(["task", "start"], point);
      assert(shown.includes(expected), shown);
      await folder.test(point);
    }
  }));
});
