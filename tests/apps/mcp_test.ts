import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { assertRejects } from "@std/assert";
import type { Language } from "../../examples/apps/build.ts";
import { manifestOf } from "./_apps.ts";
import { connect } from "./_client.ts";

/** A call of a tool, and what must come of it. */
interface Row {
  readonly input: Record<string, unknown>;
  readonly text: string;
  readonly isError?: boolean;
}

const TOOLS: Readonly<
  Record<Language, { readonly tool: string; readonly rows: readonly Row[] }>
> = {
  c: {
    tool: "markdown_to_text",
    rows: [
      { input: { markdown: "# A\n_b_", width: 40 }, text: "A\n=\nb\n" },
      { input: { markdown: "*ü*", width: 10 }, text: "ü\n" },
    ],
  },
  go: {
    tool: "csv_to_json",
    rows: [
      {
        input: { csv: "a;b\n1;x\n", delimiter: ";" },
        text: '[{"a":1,"b":"x"}]\n',
      },
      {
        input: { csv: "a\n1,2\n", delimiter: "," },
        text: "csvjson:",
        isError: true,
      },
    ],
  },
  js: {
    tool: "calculate",
    rows: [
      { input: { expression: "2 ^ 10" }, text: "1024\n" },
      { input: { expression: "2 +" }, text: "ends early", isError: true },
    ],
  },
};

for (const [language, { tool, rows }] of Object.entries(TOOLS)) {
  Deno.test(`the ${language} program is a tool of an agent`, async (test) => {
    const manifest = await manifestOf(test, language as Language, "mcp");
    if (manifest === undefined) return;
    await using agent = await connect("task", "app", language, "mcp");
    const { tools } = await agent.client.listTools();
    assertEquals(tools.map(({ name }) => name), [tool]);
    for (const { input, text, isError = false } of rows) {
      const answer = await agent.call(tool, input);
      assertEquals(answer.isError, isError, answer.text);
      if (isError) assertStringIncludes(answer.text, text);
      else assertEquals(answer.text, text);
    }
    await assertRefused(agent, tool, { nonsense: 1 });
  });
}

/** Asserts that input which the schema forbids does not reach the guest. */
async function assertRefused(
  agent: Awaited<ReturnType<typeof connect>>,
  tool: string,
  input: Record<string, unknown>,
): Promise<void> {
  const outcome = await agent.call(tool, input).catch((error) => error);
  const isRefused = outcome instanceof Error || outcome.isError;
  assert(isRefused, JSON.stringify(outcome));
}

const RUN = "run_javascript";
const CODE_EXECUTION = [
  ...["run", "-A", "cli.ts"],
  ...["mcp", "examples/apps/code_execution.yaml"],
];

Deno.test("code_execution.yaml runs what an agent wrote", async () => {
  await using agent = await connect(...CODE_EXECUTION);
  const { tools: [tool] } = await agent.client.listTools();
  assertEquals(tool?.name, RUN);
  const rows: readonly Row[] = [
    { input: { code: "1 + 1" }, text: "2\n" },
    {
      input: {
        code: "console.log({ n: std.readStdin().length }); [1n, 'é']",
        input: "grüße",
      },
      text: '{n: 5}\n[1n, "é"]\n',
    },
    { input: { code: "std.readStdin()" }, text: '""\n' },
    { input: { code: "globalThis.kept = 1" }, text: "1\n" },
    { input: { code: "typeof kept" }, text: '"undefined"\n' },
    { input: { code: "await Promise.resolve(3)" }, text: "3\n" },
    {
      input: { code: "print('before'); null.x" },
      text: "TypeError",
      isError: true,
    },
    { input: { code: "let let" }, text: "SyntaxError", isError: true },
  ];
  for (const { input, text, isError = false } of rows) {
    const answer = await agent.call(RUN, input);
    assertEquals(answer.isError, isError, answer.text);
    if (isError) assertStringIncludes(answer.text, text);
    else assertEquals(answer.text, text);
  }
});

/** Code, and what must be in the answer; all of it is an error. */
const HOSTILE: readonly (readonly [string, string])[] = [
  ["for (;;) {}", "timeoutMs"],
  ["/^(a+)+$/.test('a'.repeat(40) + 'b')", "timeoutMs"],
  [
    "const a = []; for (;;) a.push(new Uint8Array(1e6).fill(1))",
    "out of memory",
  ],
  ["let s = 'x'; for (;;) s += s", "string too long"],
  ["new ArrayBuffer(4e9)", "invalid array buffer length"],
  ["let n = 3n; for (;;) n *= n", "too large"],
  ["const f = () => f(); f()", "Maximum call stack size"],
  ["JSON.parse('['.repeat(1e5))", "stack"],
  ["eval('('.repeat(1e4))", "stack"],
  [
    "let o = {}; for (let i = 0; i < 1e5; i++) o = { o }; JSON.stringify(o)",
    "stack",
  ],
  ["for (;;) print('x'.repeat(1e5))", "stdoutBytes"],
  ["'x'.repeat(1e6)", "stdoutBytes"],
  ["throw new Error('z'.repeat(1e6))", "stderrBytes"],
  ["Array.prototype.map = () => { throw 'mapped' }; [1]", "mapped"],
  ["JSON.stringify = null; 'x'", "not a function"],
  [
    "for (const k of Object.getOwnPropertyNames(globalThis)) delete globalThis[k]; ({})",
    "not defined",
  ],
  ["throw new Proxy({}, { get() { throw 1 } })", "cannot be shown"],
  [
    "const e = new Error('a'); Object.defineProperty(e, 'stack', { get() { throw 1 } }); throw e",
    "Error: a",
  ],
  ["std.exit(3)", "exit code 3"],
  ["std.readFile('/etc/passwd')", "cannot open"],
  ["std.writeFile('/tmp/x', 'x')", "cannot open"],
  ["import('os')", "could not load"],
  ["'a\0'", "pattern"],
];

Deno.test("code_execution.yaml gives hostile code nothing, and outlives it", async () => {
  await using agent = await connect(...CODE_EXECUTION);
  // two at a time, as many as there are guests
  const waiting = [...HOSTILE];
  const work = async () => {
    for (let row; (row = waiting.shift()) !== undefined;) {
      const [code, told] = row;
      const { isError, text } = await agent.call(RUN, { code });
      assert(isError, `${code}: ${text.slice(0, 200)}`);
      assertStringIncludes(text, told, code);
      assert(!text.includes("/work"), text);
      assert(text.length < 400_000);
    }
  };
  await Promise.all([work(), work()]);
  const variables = await agent.call(RUN, {
    code: "[std.getenv('PATH'), std.getenv('HOME'), std.args]",
  });
  assertEquals(variables.text, "[undefined, undefined, []]\n");
  await assertRefused(agent, RUN, { code: "1", file: "/etc/passwd" });
  await assertRefused(agent, RUN, { code: "x".repeat(100_001) });
  assertEquals((await agent.call(RUN, { code: "6 * 7" })).text, "42\n");
});

Deno.test("code_execution.yaml gives each call its whole time", async () => {
  await using agent = await connect(...CODE_EXECUTION);
  const code = "const t = Date.now(); while (Date.now() - t < 2600); 'done'";
  for (let call = 0; call < 2; call++) {
    const { text } = await agent.call(RUN, { code });
    assertEquals(text, '"done"\n');
  }
});

Deno.test("code_execution.yaml stops code that is cancelled", async () => {
  await using agent = await connect(...CODE_EXECUTION);
  await agent.call(RUN, { code: "1" });
  const controller = new AbortController();
  const call = agent.call(RUN, { code: "for (;;) {}" }, {
    signal: controller.signal,
  });
  setTimeout(() => controller.abort(new Error("enough")), 300);
  await assertRejects(() => call, Error, "enough");
  // both places are free again at once: neither waits for a deadline
  const started = performance.now();
  const both = await Promise.all(
    [1, 2].map((n) => agent.call(RUN, { code: String(n) })),
  );
  assertEquals(both.map(({ text }) => text), ["1\n", "2\n"]);
  assert(performance.now() - started < 4_000);
});
