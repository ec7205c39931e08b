import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import type { TemplateRenderer } from "../../templates/mod.ts";
import { run } from "./_run.ts";
import { generate, isEmpty, readConfig, templates } from "./_generate.ts";

/** A template that waits until it is told to go on. */
function waiting(until: Promise<void>): TemplateRenderer {
  return {
    name: "waiting",
    description: "Waits.",
    schema: { type: "object", properties: {} },
    render: async () => {
      await until;
      return new Map([["a.txt", "a\n"]]);
    },
  };
}

Deno.test("generate --dry-run and --diff write nothing", async () => {
  const args = ["--name", "x", "--set", "mood=sad"];
  await generate(
    (folder) => ["greeting_page", folder, ...args, "--dry-run"],
    async ({ code, stdout }, folder) => {
      assertEquals(code, 0);
      assertMatch(stdout, /^would write 2 files of greeting_page to /);
      assert(await isEmpty(folder));
    },
  );
  await generate(
    (folder) => ["greeting_page", folder, ...args, "--dry-run", "--json"],
    async ({ stdout }, folder) => {
      const { written, files } = JSON.parse(stdout);
      assertEquals(written, false);
      assertStringIncludes(files[0].text, 'name = "x"');
      assert(await isEmpty(folder));
    },
  );
  await generate(
    (folder) => ["greeting_page", folder, ...args, "--diff"],
    async ({ stdout }, folder) => {
      assertStringIncludes(
        stdout,
        "--- /dev/null\n+++ b/main.ts\n@@ -0,0 +1,2 @@\n" +
          '+export const name = "x";\n+export const port = 8000;\n',
      );
      assert(await isEmpty(folder));
    },
  );
});

Deno.test("generate --diff shows what would change, escaped, and patch understands it", async () => {
  const folder = await Deno.makeTempDir();
  const args = ["generate", "greeting_page", folder, "--set", "mood=sad"];
  const world = { templates: templates() };
  try {
    assertEquals((await run([...args, "--name", "a"], world)).code, 0);
    const same = await run([...args, "--name", "a", "--diff"], world);
    assertEquals(same.stdout, "");
    await Deno.writeTextFile(`${folder}/main.ts`, "old \x1b[2J\tline\n");
    const refused = await run([...args, "--name", "b"], world);
    assertEquals(refused.code, 2);
    assertStringIncludes(refused.stderr, 'other files there: "main.ts"');
    assertMatch(refused.stderr, /hint: --diff shows .* --force/);
    const changed = await run([...args, "--name", "b", "--diff"], world);
    assertEquals(
      changed.stdout,
      "--- a/main.ts\n+++ b/main.ts\n@@ -1 +1,2 @@\n-old \\u{1b}[2J\tline\n" +
        '+export const name = "b";\n+export const port = 8000;\n',
    );
    const coloured = await run([...args, "--name", "b", "--diff"], {
      ...world,
      isTerminal: true,
      color: true,
    });
    assertStringIncludes(coloured.stdout, "\x1b[31m-old");
    const forced = await run([...args, "--name", "b", "--force"], world);
    assertEquals(forced.code, 0);
    assertStringIncludes(forced.stdout, "wrote 1 file of");
    assertMatch(forced.stdout, /changed {2}main\.ts .*\n {2}same {5}sub/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("generate --link links what can be linked", async () => {
  await generate(
    (folder) => [
      "greeting_page",
      `${folder}/a`,
      "--set",
      "mood=sad",
      "--link",
      "../there",
    ],
    async ({ code, stderr }, folder) => {
      assertEquals(code, 0, stderr);
      const { link } = await readConfig(`${folder}/a`);
      assert(String(link).startsWith("/") && String(link).endsWith("/there"));
    },
  );
  const unlinked = templates().register(
    "waiting",
    () => waiting(Promise.resolve()),
  );
  await generate(
    (folder) => ["waiting", folder, "--link", "."],
    ({ code, stderr }) => {
      assertEquals(code, 2);
      assertStringIncludes(stderr, 'Option "--link": waiting links nothing');
    },
    { templates: unlinked },
  );
});

Deno.test("generate that is interrupted writes nothing, and ends with 130", async () => {
  const folder = await Deno.makeTempDir();
  const signals = new EventTarget();
  const { promise, resolve } = Promise.withResolvers<void>();
  try {
    const outcome = run(["generate", "waiting", `${folder}/new`], {
      templates: templates().register("waiting", () => waiting(promise)),
      signals,
      isTerminal: true,
      onStderr: (text) => {
        if (!text.includes("rendering")) return;
        signals.dispatchEvent(new Event("stop"));
        resolve();
      },
    });
    const { code, stderr } = await outcome;
    assertEquals(code, 130, stderr);
    assertStringIncludes(stderr, "error: Interrupted: nothing was written\n");
    assert(await isEmpty(folder));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("generate says why a folder cannot be written to", async () => {
  await generate(
    (folder) => ["greeting_page", `${folder}/file/app`, "--set", "mood=sad"],
    ({ code, stderr }) => {
      assertEquals(code, 0, stderr);
    },
  );
  const file = await Deno.makeTempFile();
  await generate(
    () => ["greeting_page", file, "--set", "mood=sad"],
    ({ code, stderr }) => {
      assertEquals(code, 2);
      assertMatch(stderr, /Cannot write to .* is a file/);
    },
  );
  await Deno.remove(file);
});
