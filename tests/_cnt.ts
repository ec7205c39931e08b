import { HEADER, leb, section } from "./wasm.ts";
import { instrument } from "../runtime/v8/gate.ts";
import { FEATURES } from "../runtime/v8/features.ts";
const kind = Deno.args[0]!;
const size = 16 * 2 ** 20 - 64;
const items: Record<string, [number, number[]]> = {
  table: [4, [0x70, 0, 0]],
  memory: [5, [0, 0]],
  imports: [2, [0, 0, 3, 0x7f, 0]],
  exports: [7, [0, 0, 0]],
  types: [1, [0x60, 0, 0]],
  globals: [6, [0x7f, 0, 0x0b]],
  elements: [9, [1, 0, 0]],
  data: [11, [1, 0]],
  tags: [13, [0, 0]],
  rec: [1, [0x4e, 0]],
  functions: [3, [0]],
  array: [1, [0x5e, 0x7f, 0]],
};
const [id, item] = items[kind]!;
const n = Math.floor((size - 100) / item.length);
const payload = new Uint8Array(5 + n * item.length);
payload.set(leb(n, 5));
for (let i = 0; i < n; i++) payload.set(item, 5 + i * item.length);
const types = id === 1 ? [] : section(1, 1, 0x60, 0, 0);
const b = new Uint8Array(8 + types.length + 6 + payload.length);
b.set(HEADER);
b.set(types, 8);
b.set([id, ...leb(payload.length, 5)], 8 + types.length);
b.set(payload, 14 + types.length);
const t = performance.now();
let m;
try {
  instrument(b, { deadline: true, fuel: true, tableElements: 1e5 }, {
    features: Object.fromEntries(FEATURES.map((x) => [x, true])),
  });
  m = "accepted";
} catch (e) {
  m = (e as Error).message.slice(0, 150);
}
const st = Deno.readTextFileSync("/proc/self/status");
console.log(
  kind,
  n,
  "ms",
  performance.now() - t | 0,
  "peak MB",
  +(/VmHWM:\s+(\d+)/.exec(st)![1]!) / 1e3 | 0,
  m,
);
