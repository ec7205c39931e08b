import { body, build, flat, funcType, leb, name, sleb } from "./wasm.ts";
import { instrument } from "../runtime/v8/gate.ts";
import { memoryImports } from "../runtime/v8/link.ts";
const N = +Deno.args[0]!;
const code: number[] = [];
for (let i = 0; i < N; i++) {
  code.push(0x41, 0, 0x41, 0, 0x41, ...sleb(1 << 20), 0xfc, 0x0b, 0);
}
const b = build({
  types: [funcType()],
  functions: [0],
  memories: [[1, 16, 16]],
  exports: [[name("f"), 0, 0]],
  bodies: [body(code)],
});
const { code: m, layout } = instrument(b, {
  deadline: false,
  fuel: true,
  tableElements: 1000,
});
const flag = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
new Int32Array(flag.buffer)[0] = 1;
const inst = new WebAssembly.Instance(new WebAssembly.Module(m), {
  "wasm_sandbox:memory": memoryImports(layout, 16 * 65536, flag),
});
const fuel = inst.exports["wasm_sandbox:fuel"] as WebAssembly.Global;
fuel.value = 2n ** 60n;
const t = performance.now();
(inst.exports.f as () => void)();
console.log(
  N,
  "fills",
  performance.now() - t | 0,
  "ms; fuel",
  2n ** 60n - (fuel.value as bigint),
  "expected",
  N * (3 + 16384 + 1) + 1,
);
// growth bomb
{
  const code = [0x10, 1];
  const R = 1000;
  for (let k = 0; k < 520; k++) {
    if (k) code.push(0x10, 1);
    for (let i = 0; i < R; i++) code.push(0x0d, 0);
  }
  const b = build({
    types: [funcType(), funcType([], Array(R).fill(0x7f))],
    functions: [0, 1],
    bodies: [body(code), body([0x00])],
  });
  try {
    const r = instrument(b, {
      deadline: true,
      fuel: true,
      tableElements: 1000,
    });
    console.log(
      b.length,
      r.code.length,
      WebAssembly.validate(b),
      WebAssembly.validate(r.code),
    );
  } catch (e) {
    console.log((e as Error).message);
  }
}
