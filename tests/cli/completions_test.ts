import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { TemplateFactory } from "../../templates/mod.ts";
import { run } from "./_run.ts";

/** Shells that are installed here. */
const INSTALLED = new Set(
  ["bash", "fish", "zsh"].filter((shell) => {
    try {
      return new Deno.Command(shell, { args: ["--version"] }).outputSync()
        .success;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }),
);

/** Runs a shell. */
async function output(
  shell: string,
  args: readonly string[],
): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(shell, {
    args: [...args],
  }).output();
  const text = new TextDecoder();
  assertEquals([code, text.decode(stderr)], [0, ""]);
  return text.decode(stdout);
}

async function script(shell: string): Promise<string> {
  const { code, stdout, stderr } = await run(["completions", shell]);
  assertEquals([code, stderr], [0, ""]);
  return stdout;
}

/** Lines as they are typed, up to the key, and what is among the answers. */
const LINES: readonly (readonly [string, readonly string[]])[] = [
  ["wasm-sandbox po", ["policy"]],
  ["wasm-sandbox --json inspe", ["inspect"]],
  ["wasm-sandbox policy ", ["check", "explain", "import", "schema"]],
  ["wasm-sandbox policy check --", ["--help", "--json"]],
  ["wasm-sandbox run --isolation pro", ["process"]],
  ["wasm-sandbox run --isolation ", ["auto", "inline", "process"]],
  ["wasm-sandbox call --grant r", ["random"]],
  ["wasm-sandbox serve --form ", ["command", "handler"]],
  ["wasm-sandbox run --allow-feature sim", ["simd"]],
  ["wasm-sandbox completions ", ["bash", "fish", "zsh"]],
  ["wasm-sandbox run --memory 1MiB --fu", ["--fuel", "--function-size"]],
  // the name of a command is none where a value is expected
  ["wasm-sandbox call --export policy --isol", ["--isolation"]],
  ["wasm-sandbox generate --name policy --li", ["--link", "--list"]],
];

Deno.test({
  name: "completions bash completes commands, flags and values in bash",
  ignore: !INSTALLED.has("bash"),
  async fn() {
    const text = await script("bash");
    const ask = LINES.map(([line]) => {
      // as bash takes it apart
      const words = line.split(" ");
      return `COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")})
COMP_CWORD=${words.length - 1}; COMPREPLY=()
_wasm_sandbox; echo "\${COMPREPLY[*]}"`;
    }).join("\n");
    const printed = await output("bash", ["--norc", "-c", `${text}\n${ask}`]);
    const answers = printed.trimEnd().split("\n").map((line) =>
      line.split(" ").toSorted()
    );
    assertEquals(answers, LINES.map(([, expected]) => [...expected]));
  },
});

Deno.test({
  name: "completions bash completes files, and values after =",
  ignore: !INSTALLED.has("bash"),
  async fn() {
    const text = await script("bash");
    const folder = await Deno.makeTempDir();
    await Deno.writeTextFile(`${folder}/with space.wasm`, "");
    await Deno.mkdir(`${folder}/within`);
    const ask = `cd '${folder}'
try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _wasm_sandbox; printf '%s;' "\${COMPREPLY[@]}"; echo; }
try wasm-sandbox run wi
try wasm-sandbox run --isolation = in
try wasm-sandbox run --isolation =
try wasm-sandbox generate x wi
try wasm-sandbox run --policy w
try wasm-sandbox run -- --iso
try wasm-sandbox run --memory ''`;
    try {
      const printed = await output("bash", ["--norc", "-c", `${text}\n${ask}`]);
      const both = "with space.wasm;within;";
      const lines = printed.trimEnd().split("\n").map((line) =>
        line.split(";").toSorted().join(";").slice(1) + ";"
      );
      assertEquals(lines, [
        both,
        "inline;",
        "auto;inline;process;",
        "within;",
        both,
        ";",
        ";",
      ]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "completions fish completes in fish",
  ignore: !INSTALLED.has("fish"),
  async fn() {
    const file = await Deno.makeTempFile({ suffix: ".fish" });
    try {
      const ask = LINES.map(([line]) =>
        `complete -C '${line}' | string split -f1 \\t | string join ' '`
      ).join("\n");
      await Deno.writeTextFile(file, `${await script("fish")}\n${ask}\n`);
      const printed = await output("fish", ["--no-config", file]);
      const answers = printed.trimEnd().split("\n").map((line) =>
        line.split(" ").toSorted()
      );
      for (const [index, [line, expected]] of LINES.entries()) {
        for (const word of expected) {
          assert(answers[index]?.includes(word), `${line}: ${answers[index]}`);
        }
      }
    } finally {
      await Deno.remove(file);
    }
  },
});

Deno.test("completions zsh has a function for each command", async () => {
  const text = await script("zsh");
  assertMatch(text, /^#compdef wasm-sandbox\n/);
  assertStringIncludes(text, "_wasm_sandbox_policy_check() {");
});

Deno.test({
  name: "completions zsh is a script of zsh",
  ignore: !INSTALLED.has("zsh"),
  async fn() {
    const file = await Deno.makeTempFile();
    await Deno.writeTextFile(file, await script("zsh"));
    await output("zsh", ["-n", file]);
    await Deno.remove(file);
  },
});

Deno.test("completions knows the templates", async () => {
  const templates = new TemplateFactory().register("my_template", () => {
    throw new Error("not for completing");
  });
  for (const shell of ["bash", "zsh", "fish"]) {
    const { stdout } = await run(["completions", shell], { templates });
    assertStringIncludes(stdout, "my_template");
  }
});

Deno.test("completions refuses other shells", async () => {
  const unknown = await run(["completions", "powershell"]);
  assertEquals(unknown.code, 2);
  assertStringIncludes(unknown.stderr, "write bash, zsh or fish");
  const json = await run(["completions", "bash", "--json"]);
  assertEquals(JSON.parse(json.stdout).shell, "bash");
});
