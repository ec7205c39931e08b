import { assert, assertEquals, assertMatch } from "@std/assert";
import { PARTS } from "../examples/demo_cases.ts";
import { assemble } from "../examples/hostile/build.ts";

const EXAMPLES = new URL("../examples/", import.meta.url);
const ROOT = new URL("../", import.meta.url);

/** Far more than the second that it takes: what hangs must not hang the test. */
const DEADLINE_MS = 60_000;

/** Runs the demo with rights to files and to processes, and none beside. */
async function runDemo() {
  const { code, signal, stdout, stderr } = await new Deno.Command(
    Deno.execPath(),
    {
      cwd: ROOT,
      args: [
        "run",
        "--no-config",
        "--no-remote",
        "--no-npm",
        "--no-prompt",
        "--allow-read",
        "--allow-write",
        "--allow-run",
        "examples/demo.ts",
      ],
      signal: AbortSignal.timeout(DEADLINE_MS),
    },
  ).output();
  const decoder = new TextDecoder();
  return {
    code,
    signal,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

Deno.test("demo contains every guest, leaves nothing behind and ends by itself", async (t) => {
  const { code, signal, stdout, stderr } = await runDemo();
  const lines = stdout.split("\n");

  await t.step("ends with exit code 0 and no error", () => {
    assertEquals({ code, signal, stderr }, {
      code: 0,
      signal: null,
      stderr: "",
    });
  });
  for (const { name, about, cases } of PARTS) {
    await t.step(`shows what was ${name}`, () => {
      assert(lines.includes(`${name.toUpperCase()}: ${about}`), stdout);
      for (const { tries, expected } of cases) {
        const row = lines.find((each) => each.slice(4).startsWith(`${tries} `));
        assertMatch(row ?? `no row for ${tries}`, /^ok .* \d+\.\d {2}stands$/);
        if (typeof expected === "string") {
          assert(row?.includes(` ${expected} `));
        }
      }
      assert(stdout.includes(`${cases.length} of ${cases.length} ${name}`));
    });
  }
  await t.step("sums up what was left", () => {
    assertMatch(stdout, / 0 instances alive\.\n/);
    assertMatch(stdout, /\nThe host still stands\.\n$/);
  });
  await t.step("tells what a policy allows, denies and learns", () => {
    assertMatch(stdout, /It runs in: process\./);
    assertMatch(stdout, /snoop: open \/etc\/passwd +refused/);
    assert(!stdout.includes("ESCAPED"));
    assertMatch(
      stdout,
      /filesystem\.write \/logs\/planted\.log by path_open: what is granted/,
    );
    assertMatch(stdout, /"guest":"\/logs","host":"…\/logs","access":"read",/);
    assertMatch(stdout, /Under that policy it ends with exit code 0\./);
  });
  await t.step("writes no colours where there is no terminal", () => {
    assert(!stdout.includes("\x1b"));
  });
});

Deno.test("hostile guests are what their text says", async () => {
  const guests = await assemble();
  const built = guests.map(({ url }) => url.href).sort();
  const committed: string[] = [];
  const folder = new URL("hostile/", EXAMPLES);
  for await (const { name } of Deno.readDir(folder)) {
    if (name.endsWith(".wasm")) committed.push(new URL(name, folder).href);
  }
  assertEquals(committed.sort(), built);
  for (const { url, bytes } of guests) {
    assertEquals(await Deno.readFile(url), bytes, url.href);
  }
});
