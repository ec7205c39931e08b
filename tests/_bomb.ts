import { body, build, flat, funcType, leb, name, vec } from "./wasm.ts";
import { instrument } from "../runtime/v8/gate.ts";
import { memoryImports } from "../runtime/v8/link.ts";
const [kind, L, N, mode] = [
  Deno.args[0],
  +Deno.args[1]!,
  +Deno.args[2]!,
  Deno.args[3] ?? "raw",
];
let code: number[] = [];
const tags = [[0, 1]];
if (kind === "brif") { // block; N x (local.get 0; br_if 0); end
  code = flat(0x02, 0x40);
  for (let i = 0; i < N; i++) code.push(0x20, 0, 0x0d, 0);
  code.push(0x0b, 0x20, 0, 0x1a);
} else if (kind === "brifset") { // with changing locals
  code = flat(0x02, 0x40);
  for (let i = 0; i < N; i++) {
    code.push(
      0x20,
      0,
      0x41,
      1,
      0x6a,
      0x21,
      ...leb(1 + i % L),
      0x20,
      0,
      0x0d,
      0,
    );
  }
  code.push(0x0b);
  for (let i = 0; i < L; i++) {
    code.push(0x20, ...leb(i + 1), 0x20, 0, 0x6a, 0x21, 0);
  }
} else if (kind === "trycall") {
  code = flat(0x06, 0x40);
  for (let i = 0; i < N; i++) code.push(0x10, 0);
  code.push(0x19, 0x0b);
} else if (kind === "trytable") {
  code = flat(0x02, 0x40, 0x1f, 0x40, 1, 2, 0);
  for (let i = 0; i < N; i++) code.push(0x10, 0);
  code.push(0x0b, 0x0b);
} else if (kind === "if") {
  for (let i = 0; i < N; i++) code.push(0x20, 0, 0x04, 0x40, 0x0b);
} else if (kind === "stackif") {
  for (let i = 0; i < L; i++) code.push(0x41, 0);
  for (let i = 0; i < N; i++) code.push(0x20, 0, 0x04, 0x40, 0x0b);
  for (let i = 0; i < L; i++) code.push(0x1a);
} else if (kind === "stackset") {
  for (let i = 0; i < L; i++) code.push(0x20, 0);
  for (let i = 0; i < N; i++) code.push(0x20, 0, 0x04, 0x40, 0x0b);
  for (let i = 0; i < L; i++) code.push(0x1a);
} else if (kind === "stackbrif") {
  for (let i = 0; i < L; i++) code.push(0x20, 0);
  code.push(0x02, 0x40);
  for (let i = 0; i < N; i++) code.push(0x20, 0, 0x0d, 0);
  code.push(0x0b);
  for (let i = 0; i < L; i++) code.push(0x1a);
} else if (kind === "nest") {
  for (let i = 0; i < N; i++) code.push(0x41, 0, 0x02, 0x40);
  for (let i = 0; i < N; i++) code.push(0x0b, 0x1a);
} else if (kind === "call") { for (let i = 0; i < N; i++) code.push(0x10, 0); }
const b = build({
  types: [funcType([0x7f]), funcType()],
  functions: [1, 0],
  tags,
  exports: [[name("f"), 0, 1]],
  bodies: [
    body([]),
    body(code, [[kind!.startsWith("stack") || kind === "nest" ? 0 : L, 0x7f]]),
  ],
});
const rss = () => Deno.memoryUsage().rss / 1e6;
let m: Uint8Array<ArrayBuffer> = b;
let imp: WebAssembly.Imports = {};
const r0 = rss();
let t = performance.now();
if (mode !== "raw") {
  const { code, layout } = instrument(b, {
    deadline: mode.includes("d"),
    fuel: mode.includes("f"),
    tableElements: 1000,
  }, { features: { exceptions: true } });
  m = code;
  const flag = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  new Int32Array(flag.buffer)[0] = 1;
  imp = { "wasm_sandbox:memory": memoryImports(layout, 1e6, flag) };
}
console.log(
  kind,
  L,
  N,
  mode,
  "bytes",
  b.length,
  m.length,
  "gate ms",
  (performance.now() - t) | 0,
);
t = performance.now();
const inst = new WebAssembly.Instance(new WebAssembly.Module(m), imp);
console.log("compile", (performance.now() - t) | 0);
const fuel = inst.exports["wasm_sandbox:fuel"] as
  | WebAssembly.Global
  | undefined;
if (fuel) fuel.value = 2n ** 60n;
t = performance.now();
for (let i = 0; i < +(Deno.args[4] ?? 1); i++) {
  (inst.exports.f as (x: number) => void)(0);
}
console.log("call", (performance.now() - t) | 0, "rss now", rss() | 0);
await new Promise((r) => setTimeout(r, +(Deno.args[5] ?? 0)));
const st = Deno.readTextFileSync("/proc/self/status");
console.log("peak MB", +(/VmHWM:\s+(\d+)/.exec(st)![1]!) / 1e3 | 0);
