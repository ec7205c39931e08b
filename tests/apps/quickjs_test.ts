import {
  assert,
  assertEquals,
  assertLess,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { packScript } from "../../examples/apps/quickjs/pack.ts";
import {
  Capabilities,
  type ExecuteOptions,
  type Isolation,
  type ModuleSource,
  Sandbox,
  SandboxError,
  type SandboxOptions,
  SecurityPolicy,
} from "../../mod.ts";

const QUICKJS = new URL(
  "../../examples/apps/quickjs/quickjs.wasm",
  import.meta.url,
);
const ISOLATIONS: readonly Isolation[] = ["inline", "process"];

/** QuickJS with what an ordinary program has. */
async function open(
  options: Partial<SandboxOptions> = {},
  module: ModuleSource = QUICKJS,
): Promise<Sandbox> {
  return await Sandbox.create({
    module,
    isolation: "inline",
    policy: SecurityPolicy.from(Capabilities.program()),
    ...options,
  });
}

async function execute(
  sandbox: Sandbox,
  args: readonly string[],
  options: ExecuteOptions = {},
) {
  const { exitCode, stdout, stderr } = await sandbox.execute(args, options);
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { exitCode, stdout: text(stdout), stderr: text(stderr) };
}

Deno.test("quickjs.wasm is small, and the gate takes it as it is", async () => {
  assertLess((await Deno.stat(QUICKJS)).size, 800_000);
  for (const isolation of ISOLATIONS) {
    await using sandbox = await open({ isolation });
    const ended = await execute(sandbox, ["-e", "print(6 * 7)"]);
    assertEquals(ended, { exitCode: 0, stdout: "42\n", stderr: "" });
  }
});

Deno.test("quickjs runs a script from an option, the standard input or a file", async () => {
  const policy = SecurityPolicy.from([
    ...Capabilities.program(),
    Capabilities.filesystem({ mounts: [{ guest: "/in", memory: true }] }),
  ]);
  await using sandbox = await open({ policy });
  const script = "print(std.args.join('|'), std.getenv('NONE'))";
  const files = { "/in/a.js": script };
  for (const args of [["-e", script], ["-"], ["/in/a.js"]]) {
    const given = { files, stdin: script };
    const ended = await execute(sandbox, [...args, "ä", "-x"], given);
    assertEquals(ended.stdout, "ä|-x undefined\n", args.join(" "));
  }
  const piped = await execute(sandbox, [], { stdin: "print(await 1)" });
  assertEquals(piped.stdout, "1\n");
  const shown = await execute(sandbox, ["-p", "let a = 'x'; ({ a, b: [1n] })"]);
  assertEquals(shown.stdout, '{a: "x", b: [1n]}\n');
});

Deno.test("quickjs shows values as a reader wants them", async () => {
  await using sandbox = await open();
  const rows: readonly (readonly [string, string])[] = [
    ["'a', 1, null, undefined, -0", "a 1 null undefined -0"],
    ["[1, 'x', [2]]", '[1, "x", [2]]'],
    ["new Map([['k', new Set([1])]])", 'Map {"k" => Set {1}}'],
    ["() => 1, function f() {}", "[function ] [function f]"],
    ["(() => { const a = []; a.push(a); return a })()", "[[circular]]"],
    ["[[[[[[[[1]]]]]]]]", "[[[[[[[...]]]]]]]"],
    ["{ 'a b': Symbol('s') }", '{"a b": Symbol(s)}'],
  ];
  for (const [code, shown] of rows) {
    const { stdout, stderr } = await execute(sandbox, [
      "-e",
      `console.log(${code})`,
    ]);
    assertEquals([stdout, stderr], [`${shown}\n`, ""]);
  }
});

Deno.test("quickjs tells errors on its standard error, and ends with 1", async () => {
  await using sandbox = await open();
  const rows: readonly (readonly [string, string])[] = [
    ["throw new TypeError('no')", "Uncaught TypeError: no\n    at"],
    ["print(1); null.x", "Uncaught TypeError: cannot read property"],
    ["let let", "Uncaught SyntaxError"],
    ["Promise.reject(new Error('late'))", "Uncaught Error: late"],
    ["await new Promise(() => {})", "waits for what never comes"],
    ["throw { toString() { throw 1 } }", "cannot be shown"],
    ["import './x.js'", "Uncaught"],
    ["await import('./x.js')", "Uncaught"],
    ["std.readFile('/etc/passwd')", "cannot open /etc/passwd"],
    ["std.writeFile('/tmp/x', '')", "cannot open /tmp/x"],
  ];
  for (const [code, told] of rows) {
    const { exitCode, stderr } = await execute(sandbox, ["-e", code]);
    assertEquals(exitCode, 1, code);
    assertStringIncludes(stderr, told);
  }
  const handled = "Promise.reject(1).catch(() => print('ok'))";
  assertEquals((await execute(sandbox, ["-e", handled])).stdout, "ok\n");
  const usage = await execute(sandbox, ["--nope"]);
  assertEquals([usage.exitCode, usage.stdout], [2, ""]);
  const left = await execute(sandbox, ["-e", "print('a'); std.exit(7)"]);
  assertEquals([left.exitCode, left.stdout], [7, "a\n"]);
});

Deno.test("quickjs reads text, and writes text and bytes", async () => {
  const policy = SecurityPolicy.from([
    ...Capabilities.program(),
    Capabilities.filesystem({ mounts: [{ guest: "/out", memory: true }] }),
  ]);
  await using sandbox = await open({ policy });
  const code = `std.writeFile("/out/copy", std.readStdin().toUpperCase());
    std.write(new Uint8Array([0, 255])); std.writeError("é")`;
  const { stdout, stderr, files } = await sandbox.execute(["-e", code], {
    stdin: "grüße\0!",
  });
  assertEquals([...stdout], [0, 255]);
  assertEquals(new TextDecoder().decode(stderr), "é");
  const copy = new TextDecoder().decode(files.get("/out/copy"));
  assertEquals(copy, "GRÜSSE\0!");
});

Deno.test("quickjs turns deep calls and full memory into errors of the script", async () => {
  await using sandbox = await open();
  const deep = [
    "const f = () => f() + 1; f()",
    "const o = { get x() { return this.x } }; o.x",
    "class A { constructor() { new A() } } new A()",
    "function f() { return [2, 1].sort(f) } f()",
  ];
  for (const code of deep) {
    const caught = `try { ${code} } catch (e) { print(e.name) }`;
    const { stdout } = await execute(sandbox, ["-e", caught]);
    assertEquals(stdout, "RangeError\n", code);
  }
  const calls = "const f = (n) => n && f(n - 1) + 1; print(f(1000))";
  assertEquals((await execute(sandbox, ["-e", calls])).stdout, "1000\n");
  const full = "const a = []; try { for (;;) a.push(new Uint8Array(1e6)) } " +
    "catch (e) { a.length = 0; print(e.message) }";
  const { stdout } = await execute(sandbox, ["-e", full]);
  assertEquals(stdout, "out of memory\n");
});

for (const isolation of ISOLATIONS) {
  Deno.test(`quickjs stays within its limits, ${isolation}`, async () => {
    const limits = { timeoutMs: 500, stdoutBytes: 10_000 };
    await using sandbox = await open({ isolation, limits });
    const rows: readonly (readonly [string, string])[] = [
      ["for (;;) {}", "timeoutMs"],
      ["for (;;) Promise.resolve().then(() => {}), await 1", "timeoutMs"],
      ["/^(a+)+$/.test('a'.repeat(40) + 'b')", "timeoutMs"],
      ["for (;;) print('x'.repeat(1000))", "stdoutBytes"],
      ["JSON.parse('['.repeat(1e5))", "stack"],
    ];
    for (const [code, limit] of rows) {
      const error = await assertRejects(() => sandbox.execute(["-e", code]));
      assert(SandboxError.is(error, "limit-exceeded"), String(error));
      assertEquals(error.details.limit, limit, code);
      await sandbox.reset();
    }
    const after = await execute(sandbox, ["-e", "print('alive')"]);
    assertEquals(after.stdout, "alive\n");
  });
}

Deno.test("packScript() makes a program of a script", async () => {
  const script = `print("§", std.args, std.readStdin()) // ${"x".repeat(70)}`;
  const module = await packScript(script);
  await using sandbox = await open({}, module);
  const ended = await execute(sandbox, ["-e", "b"], { stdin: "in" });
  assertEquals(ended.stdout, '§ ["-e", "b"] in\n');
});

Deno.test("packScript() takes as much as there is room for", async () => {
  const head = "print(1)//";
  const longest = head.padEnd(256 * 1024 - 1, "x");
  await using sandbox = await open({}, await packScript(longest));
  assertEquals((await execute(sandbox, [])).stdout, "1\n");
  await assertRejects(() => packScript(`${longest}x`), RangeError, "262144");
  await assertRejects(() => packScript(""), RangeError);
});
