import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { ODD_TEXTS } from "../templates/_odd.ts";
import { run } from "./_run.ts";
import { generate, isEmpty, readConfig, templates } from "./_generate.ts";

Deno.test("generate writes a project and says what to do next", async () => {
  await generate(
    (folder) => ["greeting_page", `${folder}/my-page`, "--set", "mood=glad"],
    async ({ code, stdout, stderr }, folder) => {
      assertEquals([code, stderr], [0, ""]);
      assertEquals(
        stdout,
        `wrote 2 files of greeting_page to ${folder}/my-page\n` +
          "  new  main.ts          57 B\n" +
          "  new  sub/config.json  91 B\n" +
          `\nnext:\n  cd ${folder}/my-page\n  deno task start\n  Be glad.\n`,
      );
      // called as its folder is
      assertStringIncludes(
        await Deno.readTextFile(`${folder}/my-page/main.ts`),
        '"my-page"',
      );
    },
  );
});

Deno.test("generate types what --set gives by the schema", async () => {
  await generate((folder) => [
    "greeting-page",
    `${folder}/app`,
    "--name",
    'say "hi"',
    ...["mood=sad", "port=80", "loud=true", "memory=1MiB"]
      .flatMap((each) => ["--set", each]),
    ...["guests=Ann", "guests=12", "limits.timeoutMs=2s"]
      .flatMap((each) => ["--set", each]),
    "--json",
  ], async ({ code, stdout, stderr }, folder) => {
    assertEquals([code, stderr], [0, ""]);
    const { written, files, next } = JSON.parse(stdout);
    assertEquals([written, next], [true, ["deno task start", "Be sad."]]);
    assertEquals(files, [
      { path: "main.ts", kind: "new" },
      { path: "sub/config.json", kind: "new" },
    ]);
    assertStringIncludes(
      await Deno.readTextFile(`${folder}/app/main.ts`),
      '"say \\"hi\\"";\nexport const port = 80;',
    );
    assertEquals(await readConfig(`${folder}/app`), {
      mood: "sad",
      loud: true,
      memory: 2 ** 20,
      guests: ["Ann", "12"],
      link: "",
      module: "",
    });
  });
});

Deno.test("generate reads a config file, and flags go before it", async () => {
  const files = {
    "conf/app.yaml":
      "$schema: x\nname: From a file\nmood: sad\nport: 81\nmemory: 2MiB\n" +
      "module: ./a.wasm\n",
    "app.json": '{ "name": "J", "mood": "glad" }',
  };
  await generate(
    (folder) => [
      "greeting_page",
      `${folder}/a`,
      "--config",
      "conf/app.yaml",
      "--set",
      "mood=glad",
    ],
    async ({ code, stderr }, folder) => {
      assertEquals([code, stderr], [0, ""]);
      const { mood, memory, module } = await readConfig(`${folder}/a`);
      assertEquals([mood, memory], ["glad", 2 ** 21]);
      // relative to the file, and the same from everywhere
      assertEquals(module, `${Deno.cwd()}/conf/a.wasm`);
    },
    { files },
  );
  await generate(
    (folder) => ["greeting_page", `${folder}/a`, "--config", "app.json"],
    ({ code }) => assertEquals(code, 0),
    { files },
  );
  await generate(
    (folder) => ["greeting_page", `${folder}/a`, "--config", "-"],
    ({ code }) => assertEquals(code, 0),
    { stdin: "name: x\nmood: sad\n" },
  );
});

Deno.test("generate tells all that is wrong with a file, with line and column", async () => {
  const text = "name: ''\nport: 99999\n\nmud: sad\n";
  await generate(
    (folder) => [
      "greeting_page",
      folder,
      "--config",
      "bad.yaml",
      "--set",
      "loud=maybe",
      "--json",
    ],
    async ({ code, stdout, stderr }, folder) => {
      assertEquals([code, stdout], [2, ""]);
      const { error } = JSON.parse(stderr);
      assertEquals(error.code, "invalid-config");
      const { problems } = error.details;
      assertEquals(
        problems.map((
          { path, line, column }: Record<string, unknown>,
        ) => [path, line, column]),
        [
          ["name", 1, 7],
          ["port", 2, 7],
          ["mud", 4, 1],
          ["loud", undefined, undefined],
          ["mood", undefined, undefined],
        ],
      );
      assert(await isEmpty(folder));
    },
    { files: { "bad.yaml": text } },
  );
  for (const text of ["- a\n", "a: &x 1\nb: *x\n", "a: 1\na: 2\n", "{"]) {
    await generate(
      (folder) => ["greeting_page", folder, "--config", "bad.yaml"],
      ({ code, stderr }) => {
        assertEquals(code, 2);
        assertMatch(stderr, /^error: Cannot use the config bad\.yaml: line \d/);
      },
      { files: { "bad.yaml": text } },
    );
  }
  await generate(
    (folder) => ["greeting_page", folder, "--config", "gone.yaml"],
    ({ code, stderr }) => {
      assertEquals(code, 2);
      assertStringIncludes(stderr, "the file does not exist");
    },
  );
});

Deno.test("generate names all missing and ill-typed values at once, and never asks in a pipe", async () => {
  await generate(
    () => ["greeting_page", "--set", "port=abc", "--set", "lod=true"],
    ({ code, stdout, stderr }) => {
      assertEquals([code, stdout], [2, ""]);
      assertEquals(
        stderr,
        'error: Cannot generate greeting_page: port is the text "abc", expected' +
          " a whole number from 1 to 65535; lod is not known, expected one of " +
          "name, port, mood, loud, memory, guests, module, link, limits (did " +
          'you mean "loud"?); name is missing, expected text that is not empty ' +
          '(--name sets it); mood is missing, expected "glad" or "sad" (--set ' +
          "mood=… sets it)\n",
      );
    },
  );
  await generate(() => [], ({ code, stderr }) => {
    assertEquals(code, 2);
    assertMatch(
      stderr,
      /no template is named, expected one of .*greeting_page/,
    );
  });
});

Deno.test("generate says which template was meant", async () => {
  await generate((folder) => ["greting_page", folder], ({ code, stderr }) => {
    assertEquals(code, 2);
    assertStringIncludes(stderr, 'did you mean "greeting_page"?');
  });
});

Deno.test("generate lists the templates", async () => {
  await generate(() => ["--list"], ({ code, stdout }) => {
    assertEquals(code, 0);
    assertMatch(stdout, /^greeting_page {2,}A page that greets\.$/m);
  });
  await generate(() => ["--list", "--json"], ({ stdout }) => {
    assert(
      JSON.parse(stdout).templates.some(({ name }: { name: string }) =>
        name === "greeting_page"
      ),
    );
  });
  await generate(() => ["--list", "greeting_page"], ({ code, stderr }) => {
    assertEquals(code, 2);
    assertStringIncludes(stderr, "greeting_page (--list takes none)");
  });
});

Deno.test("generate asks for what is missing at a terminal", async () => {
  await generate(
    (folder) => ["greeting_page", `${folder}/app`],
    async ({ code, stdout, stderr }, folder) => {
      assertEquals(code, 0, stderr);
      assertEquals(stderr.match(/\[1m/g), null);
      assertMatch(stderr, /mood \(glad, sad\): it is "grim", expected/);
      assertStringIncludes(stderr, "How it greets.\n");
      // it has a default
      assertEquals(stderr.includes("port"), false);
      assertStringIncludes(stdout, "next:");
      assertEquals((await readConfig(`${folder}/app`)).mood, "glad");
    },
    { isTerminal: true, typed: ["grim", " glad "] },
  );
});

Deno.test("generate asks for everything if nothing is given", async () => {
  const folder = await Deno.makeTempDir();
  const names = [...templates()];
  const place = String(names.indexOf("greeting_page") + 1);
  const typed = [
    "nothing such",
    place,
    "My Page",
    "",
    "sad",
    "true",
    "",
    "",
    "",
    `${folder}/app`,
  ];
  try {
    const { code, stderr } = await run(["generate"], {
      templates: templates(),
      isTerminal: true,
      typed,
    });
    assertEquals(code, 0, stderr);
    assertStringIncludes(stderr, "port [8000]: ");
    assertStringIncludes(stderr, "directory [my-page]: ");
    const { mood, loud } = await readConfig(`${folder}/app`);
    assertEquals([mood, loud], ["sad", true]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("generate ends with 2 if nobody answers", async () => {
  await generate(
    (folder) => ["greeting_page", folder],
    async ({ code, stderr }, folder) => {
      assertEquals(code, 2);
      assertStringIncludes(stderr, "Nothing was answered");
      assert(await isEmpty(folder));
    },
    { isTerminal: true, typed: [] },
  );
});

Deno.test("generate takes odd texts as values, or says why not", async () => {
  // an empty name is refused, or as none: parsers of flags do not agree
  for (const text of ODD_TEXTS.filter((each) => each !== "")) {
    await generate(
      (folder) => [
        "greeting_page",
        `${folder}/a`,
        `--name=${text}`,
        "--set",
        "mood=sad",
      ],
      async ({ code, stdout, stderr }, folder) => {
        assertEquals(/[^\x20-\x7e\n…]/.test(stderr + stdout), false, stderr);
        if (code !== 0) return assertMatch(stderr, /^error: [^\n]+\n$/);
        const { name } = await import(`file://${folder}/a/main.ts`);
        assertEquals(name, text);
      },
    );
  }
});

Deno.test("generate refuses wrong usage", async () => {
  for (
    const args of [
      ["greeting_page", "a", "b"],
      ["greeting_page", "a", "--set", "port"],
      ["greeting_page", "a", "--set", "=1"],
      ["greeting_page", "a", "--set", "a..b=1"],
      ["greeting_page", "--nope"],
      ["greeting_page", "a", "--", "b"],
    ]
  ) {
    const { code, stderr } = await run(["generate", ...args], {
      templates: templates(),
    });
    assertEquals(code, 2, args.join(" "));
    assertMatch(stderr, /^error: [^\n]+\n(?:hint: [^\n]+\n)?$/);
  }
});
