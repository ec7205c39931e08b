import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import type { CommandInfo } from "../../cli/describe.ts";
import { describeAll } from "../../cli/main.ts";
import { styleOf } from "../../cli/style.ts";
import { table } from "../../cli/table.ts";
import { shorten, textWidth, wrap } from "../../cli/text_width.ts";
import { referencePage } from "./_reference.ts";
import { run, TEXT_STATS } from "./_run.ts";
import { PAGE } from "./update_docs.ts";

function all(info: CommandInfo): readonly CommandInfo[] {
  return [info, ...info.commands.flatMap(all)];
}

const COMMANDS = all(describeAll());

/** Text as it is whatever the formatter made of tables. */
function plain(page: string): string {
  return page.replaceAll(/ +/g, " ").replaceAll(/-{3,}/g, "---");
}

Deno.test("docs/cli.md is what the commands say (deno task docs:cli)", async () => {
  const page = await Deno.readTextFile(PAGE);
  assertEquals(plain(page), plain(referencePage(describeAll())));
});

Deno.test("every command has a summary, --json, and examples of itself", () => {
  assert(COMMANDS.length >= 15);
  for (
    const { path, summary, options, examples, arguments: args } of COMMANDS
  ) {
    assertMatch(summary, /^[A-Z].*\.$/, path);
    assert(options.some(({ flags }) => flags.includes("--json")), path);
    assert(examples.some(({ text }) => text.startsWith(path)), path);
    for (const { description } of [...options, ...args]) {
      assertMatch(description, /^[A-Z].*\.$/s, path);
    }
  }
});

Deno.test("help fits terminals of 40, 80 and 120 columns", async () => {
  for (const { path, name } of COMMANDS) {
    const words = path.split(" ").slice(1);
    for (const columns of [40, 80, 120]) {
      const { code, stdout } = await run([...words, "--help"], {
        isTerminal: true,
        columns,
      });
      assertEquals(code, 0, name);
      // what is to be copied stays on one line
      const copied = /^ {2}(?:wasm-sandbox|source) |--help tells/;
      for (const line of stdout.split("\n")) {
        const fits = textWidth(line) <= columns || copied.test(line);
        assert(fits || columns < 80, `${path}: ${line}`);
        assert(!line.endsWith(" "), `${path}: ${line}`);
      }
    }
  }
});

Deno.test("colours are for terminals alone, and go with NO_COLOR", async () => {
  const lines: readonly (readonly string[])[] = [
    ["--help"],
    ["inspect", TEXT_STATS],
    ["generate", "--list"],
    ["call", TEXT_STATS, "ad"],
  ];
  for (const args of lines) {
    const coloured = await run(args, { isTerminal: true, color: true });
    assertStringIncludes(coloured.stdout + coloured.stderr, "\x1b[");
    for (const world of [{ isTerminal: true }, { color: true }, {}]) {
      const { stdout, stderr } = await run(args, world);
      assertEquals((stdout + stderr).includes("\x1b"), false, args.join(" "));
    }
  }
});

Deno.test("--version takes --json", async () => {
  for (const args of [["--version", "--json"], ["--json", "-V"]]) {
    const { stdout } = await run(args);
    assertMatch(JSON.parse(stdout).version, /^\d+\.\d+\.\d+/);
  }
});

Deno.test("table() breaks the widest column where it must", () => {
  const rows = [["name", "a long text that goes on"], ["日本", "short"]];
  assertEquals(table(rows), [
    "name  a long text that goes on",
    "日本  short",
  ]);
  assertEquals(table(rows, { width: 20 }), [
    "name  a long text",
    "      that goes on",
    "日本  short",
  ]);
  const numbers = [["a", "1"], ["b", "100"]];
  assertEquals(table(numbers, { head: ["", "n"], right: [1], indent: 1 }), [
    "      n",
    " ──────",
    " a    1",
    " b  100",
  ]);
});

Deno.test("shorten() counts columns, and never cuts a character", () => {
  assertEquals(shorten("abcd", 4), "abcd");
  assertEquals(shorten("abcde", 4), "abc…");
  assertEquals(shorten("日本語", 4), "日…");
  assertEquals(shorten("👍👍👍", 5), "👍👍…");
});

Deno.test("wrap() cuts what is too long, but not what is to be copied", () => {
  assertEquals(wrap("abcdef gh", 4), ["abcd", "ef", "gh"]);
  assertEquals(wrap("run `a b c` now", 6), ["run", "`a b c`", "now"]);
  assertEquals(wrap("", 4), [""]);
  assertEquals(textWidth("e\u0301日👍"), 5);
});

Deno.test("styleOf() looks at the stream that is written to", () => {
  const host = {
    isTerminal: (stream?: string) => stream === "stderr",
    noColor: false,
  };
  assertEquals(styleOf(host).bad("x"), "x");
  assertStringIncludes(styleOf(host, "stderr").bad("x"), "\x1b[31m");
});
