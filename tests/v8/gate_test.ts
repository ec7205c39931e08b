import { assert, assertEquals } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { gate, instrument } from "../../runtime/v8/gate.ts";
import {
  body,
  build,
  bytes,
  custom,
  flat,
  funcType,
  HEADER,
  leb,
  name,
  section,
  wasm,
  wat,
} from "../wasm.ts";
import { ALL_FEATURES, BOTH, MODES, refusal } from "./_gate.ts";

const EMPTY_FUNCTION = {
  types: [funcType()],
  functions: [0],
  bodies: [body([])],
};

/** A small module with a bit of everything. */
const SMALL = await wat(`(module $small
  (type (func (param i32) (result i32)))
  (import "env" "f" (func $f (type 0)))
  (memory 1 2)
  (table 2 funcref)
  (tag $t (param i32))
  (global (mut i32) (i32.const 7))
  (global f64 (f64.const 1))
  (export "run" (func $run))
  (elem (i32.const 0) func $f $run)
  (elem funcref (ref.func $f) (ref.null func))
  (func $run (type 0) (local i64 f32)
    (block (loop (br_if 0 (i32.const 0)) (br_table 0 1 (i32.const 1))))
    (memory.fill (i32.const 0) (i32.const 1) (local.get 0))
    (memory.init 1 (i32.const 0) (i32.const 0) (i32.const 1))
    (if (result i32) (local.get 0)
      (then (call $f (local.get 0)))
      (else (call_indirect (type 0) (local.get 0) (i32.const 0)))))
  (data (i32.const 0) "abc")
  (data "d"))`);

Deno.test("instrument() accepts a module that uses what is allowed", () => {
  for (const mode of Object.values(MODES)) {
    const { code, features } = instrument(SMALL, mode);
    assert(WebAssembly.validate(code));
    assertEquals(features, ["bulkMemory", "exceptions", "referenceTypes"]);
  }
});

const MALFORMED: Readonly<Record<string, Uint8Array<ArrayBuffer>>> = {
  "nothing": bytes(""),
  "text": new TextEncoder().encode("(module)"),
  "another version": bytes("00 61 73 6d  02 00 00 00"),
  "a section that is longer than the module": wasm([1, 9, 1, 0x60, 0, 0]),
  "a section that is shorter than its contents": wasm([1, 3, 1, 0x60, 0, 0]),
  "a section that is longer than its contents": wasm(
    [1, 5, 1, 0x60, 0, 0, 0],
  ),
  "a size of more than five bytes": wasm([1, ...leb(4, 6), 1, 0x60, 0, 0]),
  "a size of more than 32 bits": wasm([1, 0x84, 0x80, 0x80, 0x80, 0x10]),
  "sections out of order": wasm(
    section(3, 0),
    section(1, 0),
  ),
  "a section twice": wasm(section(1, 0), section(1, 0)),
  "data count behind code": wasm(section(10, 0), section(12, 0)),
  "a section that nobody knows": wasm(section(14, 0)),
  "a count that is longer than its section": wasm(section(1, leb(1000), 0x60)),
  "a form of type that nobody knows": build({ types: [[0x5d, 0, 0]] }),
  "a value type that nobody knows": build({ types: [funcType([0x50])] }),
  "a flag of limits that nobody knows": build({ memories: [[8, 1, 1]] }),
  "a shared table": build({ tables: [[0x70, 3, 1, 1]] }),
  "a kind of import that nobody knows": build({
    imports: [[name("m"), name("f"), 5, 0, 0]],
  }),
  "a kind of export that nobody knows": build({ exports: [[name("f"), 5, 0]] }),
  "an import whose name is not UTF-8": build({
    imports: [[1, 0xff, name("f"), 3, 0x7f, 0]],
  }),
  "an export whose long name is not UTF-8": build({
    ...EMPTY_FUNCTION,
    exports: [[leb(100), new Uint8Array(100).fill(0xc0), 0, 0]],
  }),
  "a custom section whose name is not UTF-8": wasm(section(0, 2, 0xc3, 0x28)),
  "a name that is longer than its section": wasm(section(0, 9, 0x61)),
  "more bodies than functions": build({
    ...EMPTY_FUNCTION,
    bodies: [body([]), body([])],
  }),
  "fewer bodies than functions": build({ types: [funcType()], functions: [0] }),
  "a function of a type that does not exist": build({
    ...EMPTY_FUNCTION,
    functions: [1],
  }),
  "code that does not end": build({ ...EMPTY_FUNCTION, bodies: [[2, 0, 1]] }),
  "code behind the end": build({
    ...EMPTY_FUNCTION,
    bodies: [[4, 0, 0x0b, 0, 0x0b]],
  }),
  "a branch that leads nowhere": build({
    ...EMPTY_FUNCTION,
    bodies: [body([0x0c, 1])],
  }),
  "a number that runs out of the function": build({
    ...EMPTY_FUNCTION,
    bodies: [[4, 0, 0x41, 0x80, 0x80]],
  }),
  "a stack that does not hold": build({
    ...EMPTY_FUNCTION,
    bodies: [body([0x1a])],
  }),
  "an index of a memory that only we shall add": build({
    ...EMPTY_FUNCTION,
    bodies: [body([0x41, 0, 0x28, 0x42, 0, 0, 0x1a])],
  }),
  "an index of a global that only we shall add": build({
    ...EMPTY_FUNCTION,
    bodies: [body([0x23, 0, 0x1a])],
  }),
  "a call of a function that only we shall add": build({
    ...EMPTY_FUNCTION,
    bodies: [body([0x10, 1])],
  }),
  "an export of a memory that only we shall add": build({
    exports: [[name("m"), 2, 0]],
  }),
  "data for a memory that only we shall add": build({
    data: [[0, 0x41, 0, 0x0b, 1, 0]],
  }),
  "an element flag that nobody knows": build({ elements: [[8, 0, 0]] }),
  "a data flag that nobody knows": build({ data: [[3, 0]] }),
  "a constant expression with a call": build({
    ...EMPTY_FUNCTION,
    globals: [[0x7f, 0, 0x10, 0, 0x0b]],
  }),
  "a tag with an attribute": build({ types: [funcType()], tags: [[1, 0]] }),
};

for (const [what, module] of Object.entries(MALFORMED)) {
  Deno.test(`instrument() finds ${what} invalid`, () => {
    const error = refusal(module, "invalid-module", { features: ALL_FEATURES });
    assertEquals(error.details.byteLength, module.length);
    assert((error.details.offset ?? 0) <= module.length);
  });
}

Deno.test("instrument() tells a component", () => {
  const component = bytes("00 61 73 6d  0d 00 01 00");
  const { details } = refusal(component, "module-refused");
  assertEquals(details, { reason: "component" });
});

Deno.test("instrument() tells where a module breaks off", () => {
  // what stands before the end of a section may be a module of its own
  for (let length = 0; length < SMALL.length; length++) {
    const part = SMALL.slice(0, length);
    if (WebAssembly.validate(part)) instrument(part, BOTH);
    else refusal(part, "invalid-module");
  }
});

Deno.test("instrument() throws nothing but its own error on any byte", () => {
  for (let at = 0; at < SMALL.length; at++) {
    for (const value of [0, 1, 0x0b, 0x40, 0x7f, 0x80, 0xfb, 0xff]) {
      const mutant = SMALL.slice();
      mutant[at] = value;
      try {
        const { code } = instrument(mutant, BOTH);
        assert(WebAssembly.validate(code));
        assert(WebAssembly.validate(mutant));
      } catch (error) {
        if (!SandboxError.is(error)) throw error;
      }
    }
  }
});

Deno.test("gate() keeps control characters of a name out of its message", () => {
  const { message } = refusal(
    build({
      ...EMPTY_FUNCTION,
      exports: [[name("wasm_sandbox:\n\u001b[2J"), 0, 0]],
    }),
    "module-refused",
  );
  // deno-lint-ignore no-control-regex -- what must not be there
  assert(!/[\u0000-\u001f]/.test(message), message);
});

Deno.test("gate() accepts padded numbers, custom sections and empty lists", () => {
  const padded = wasm(
    custom("a", 1, 2, 3),
    section(1, leb(1, 5), 0x60, leb(0, 5), leb(0, 5)),
    custom("a"),
    section(3, leb(1, 5), leb(0, 5)),
    [4, ...leb(1, 5), 0],
    section(10, leb(1, 5), leb(2, 5), 0, 0x0b),
    custom("name", 0xff),
  );
  assert(WebAssembly.validate(instrument(padded, BOTH).code));
  const onlyHeader = Uint8Array.from(flat(HEADER));
  assertEquals(gate(onlyHeader, BOTH).features, []);
  assert(WebAssembly.validate(instrument(onlyHeader, BOTH).code));
});
