import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { TemplateFactory } from "../../templates/mod.ts";
import { inFolder, tree } from "../templates/_folders.ts";
import { run } from "./_run.ts";

const ESCAPES = "\x1b[2J\u202e\r\n\u2028\x07";

/** Neither an escape nor anything else that a terminal would obey. */
function assertHarmless(text: string): void {
  const found = /[^\n\t\x20-\x7e\u2500-\u25ff…]/.exec(text);
  assertEquals(found, null, JSON.stringify(text));
}

/** Generates from a config file, which is refused; tells why. */
async function refused(name: string, config: string): Promise<string> {
  let message = "";
  await inFolder(async (folder) => {
    const { code, stdout, stderr } = await run(
      ["generate", "http_server", `${folder}/app`, "--config", name],
      { files: { [name]: config } },
    );
    assertEquals([code, stdout], [2, ""], stderr);
    assertHarmless(stderr);
    assert(stderr.length < 10_000, "nobody reads so much");
    assertEquals(await tree(folder), {});
    message = stderr;
  });
  return message;
}

Deno.test("generate refuses configs that mean more than they say", async () => {
  for (
    const text of [
      "a: &a [x, x]\nb: &b [*a, *a]\nname: *b\n",
      "base: &base { name: x }\n<<: *base\n",
      "name: !!js/function 'function () {}'\n",
      "name: !!binary aGk=\n",
      "name: !own x\n",
      "name: x\nname: y\n",
      "limits: { timeoutMs: 1s, timeoutMs: 2s }\n",
      "--- \nname: x\n---\nname: y\n",
      "? [a]\n: x\n",
      "__proto__: { port: 1 }\n",
      "constructor: { prototype: { port: 1 } }\n",
      "limits: { __proto__: { timeoutMs: 1 } }\n",
    ]
  ) await refused("app.yaml", text);
  for (
    const text of [
      '{ "name": "x", "name": "y" }',
      '{ "limits": { "timeoutMs": 1, "timeoutMs": 2 } }',
      '{ "__proto__": { "port": 1 } }',
      '{ "port": 1e999 }',
      '{ "name": "x" } { }',
      `{ "name": "x", "limits": ${"[".repeat(50_000)}${"]".repeat(50_000)} }`,
      "",
      "\u0000",
    ]
  ) await refused("app.json", text);
  assertEquals("port" in {}, false);
});

Deno.test("generate refuses configs that are too much", async () => {
  await refused("app.yaml", `name: ${"a".repeat(50_000_000)}\n`);
  const keys = Array.from({ length: 50_000 }, (_, at) => `k${at}: 1\n`);
  await refused("app.yaml", keys.join(""));
  await refused("app.yaml", "[".repeat(100_000));
  await refused("app.yaml", "- ".repeat(100_000));
});

Deno.test("generate tells odd names and values so that a terminal is unharmed", () =>
  inFolder(async (folder) => {
    const file = `${ESCAPES}.yaml`;
    await refused(
      file,
      `"${"\\e[2J"}": 1\nname: "\\e]0;x\\a"\nport: "\\e[2J"\n`,
    );
    for (
      const args of [
        [ESCAPES],
        ["http_server", `${folder}/${ESCAPES}`, "--set", `${ESCAPES}=1`],
        ["http_server", folder, "--set", `port=${ESCAPES}`],
        ["http_server", folder, "--config", ESCAPES],
        ["http_server", folder, "--link", ESCAPES],
        ["http_server", folder, `--${ESCAPES}`],
        ["channel", folder, "--name", ESCAPES],
        ["mcp_server", folder, "--set", `tools=${ESCAPES}`],
        ["guest", folder, "--set", `language=${ESCAPES}`],
        ["http_server", folder, ESCAPES],
      ]
    ) {
      for (const json of [[], ["--json"]]) {
        const outcome = await run(["generate", ...args, ...json]);
        assertEquals(outcome.code, 2, args.join(" "));
        assertHarmless(outcome.stdout + outcome.stderr);
      }
    }
    assertEquals(await tree(folder), {});
    const odd = await run(["generate", "channel", `${folder}/${ESCAPES}x`]);
    assertEquals(odd.code, 0);
    assertHarmless(odd.stdout + odd.stderr);
  }));

Deno.test("generate asks so that a terminal is unharmed, whatever the template is", async () => {
  const templates = new TemplateFactory().register("odd", () => ({
    name: "odd",
    description: ESCAPES,
    schema: {
      type: "object",
      properties: {
        [ESCAPES]: { enum: [`a${ESCAPES}`, "b"], description: ESCAPES },
        other: { type: "string", default: ESCAPES },
      },
      required: [ESCAPES],
    },
    render: () => Promise.resolve(new Map([["a.md", "a\n"]])),
    next: () => [`echo ${ESCAPES}`],
  }));
  await inFolder(async (folder) => {
    const { code, stdout, stderr } = await run(["generate"], {
      templates,
      isTerminal: true,
      typed: ["odd", `c${ESCAPES}`, "b", "", `${folder}/app`],
    });
    assertEquals(code, 0, stderr);
    // progress is written over, which takes one sequence of our own
    assertHarmless(stdout + stderr.replaceAll("\r\x1b[K", ""));
    assertEquals(await tree(folder), { "app/": "", "app/a.md": "a\n" });
  });
});

Deno.test("generate sets nothing that objects inherit", () =>
  inFolder(async (folder) => {
    for (
      const setting of [
        "__proto__.port=1",
        "__proto__=x",
        "constructor.prototype.port=1",
        "limits.__proto__.timeoutMs=1",
        "toString=x",
        "limits.constructor=x",
      ]
    ) {
      const args = ["generate", "http_server", folder, "--set", setting];
      const { code, stderr } = await run(args);
      assertEquals(code, 2, setting);
      assertStringIncludes(stderr, "is not known");
    }
    assertEquals("port" in {}, false);
    assertEquals(await tree(folder), {});
  }));

Deno.test("generate says that a number is out of range, and not that it is text", async () => {
  const { stderr } = await run(
    ["generate", "http_server", "app", "--dry-run", "--set", "port=99999"],
  );
  assertEquals(
    stderr,
    "error: Cannot generate http_server: port is 99999, expected a whole " +
      "number from 1 to 65535\n",
  );
});

Deno.test("generate calls what is a name in code as its folder is, in snake case", async () => {
  for (
    const [folder, name] of [
      ["my-channel", "my_channel"],
      ["some/My Channel.2", "my_channel_2"],
      ["queue", "queue"],
      // no name can be made of these
      ["2-things", "mailbox"],
      ["日本", "mailbox"],
    ] as const
  ) {
    const { code, stdout, stderr } = await run(
      ["generate", "channel", folder, "--dry-run", "--json"],
    );
    assertEquals(code, 0, stderr);
    const { files } = JSON.parse(stdout);
    assertEquals(files[2].path, `${name}.ts`);
  }
});

Deno.test("generate refuses a folder without a name, and asks nothing first", async () => {
  const world = { isTerminal: true, typed: [] };
  const { code, stderr } = await run(["generate", "generic", ""], world);
  assertEquals(code, 2);
  assertStringIncludes(stderr, "has no name");
});

/** Where a shell is after what `generate` says to do next. */
async function shellPlace(stdout: string): Promise<string> {
  const [, command = ""] = /^ {2}(cd .*)$/m.exec(stdout) ?? [];
  const shell = new Deno.Command("sh", { args: ["-c", `${command} && pwd`] });
  const output = await shell.output();
  assert(output.success, command);
  return new TextDecoder().decode(output.stdout).trim();
}

Deno.test("generate tells how to get to a folder, whatever it is called", () =>
  inFolder(async (folder) => {
    const before = Deno.cwd();
    const path = await Deno.realPath(folder);
    Deno.chdir(folder);
    try {
      for (const name of ["./-P", "a b", "it's", "$(x)", "~", "a;b", "`c`"]) {
        const { code, stdout } = await run(["generate", "generic", name]);
        assertEquals(code, 0, name);
        const place = `${path}/${name.replace("./", "")}`;
        assertEquals(await shellPlace(stdout), place);
      }
      // what is answered may begin with a hyphen, too
      const typed = ["generic", "x", "", "-"];
      const { code, stdout } = await run(
        ["generate"],
        { isTerminal: true, typed },
      );
      assertEquals(code, 0);
      assertEquals(await shellPlace(stdout), `${path}/-`);
    } finally {
      Deno.chdir(before);
    }
  }));

Deno.test("generate --diff shows what is no text, or too long, by a word", () =>
  inFolder(async (folder) => {
    const args = ["generate", "generic", folder, "--name", "x"];
    assertEquals((await run(args)).code, 0);
    const numbers = Array.from({ length: 60_000 }, (_, at) => `${at}\n`);
    await Deno.writeTextFile(`${folder}/README.md`, numbers.join(""));
    await Deno.writeFile(`${folder}/main.ts`, Uint8Array.of(0x1b, 0x9b, 0, 10));
    await Deno.truncate(`${folder}/main_test.ts`, 2 ** 33);
    const { code, stdout } = await run([...args, "--diff"]);
    assertEquals(code, 0);
    assertHarmless(stdout);
    const differ = "differ, in what cannot be shown\n";
    assertEquals(
      stdout,
      `Files a/main.ts and b/main.ts ${differ}` +
        `Files a/main_test.ts and b/main_test.ts ${differ}` +
        "--- a/README.md\n+++ b/README.md\n" +
        "Over 4000 lines differ; all are replaced\n",
    );
    const { stderr } = await run(args);
    assertMatch(
      stderr,
      /other files there: "main\.ts", "main_test\.ts", "README/,
    );
    assertEquals((await run([...args, "--force"])).code, 0);
    assertEquals((await run([...args, "--diff"])).stdout, "");
  }));
