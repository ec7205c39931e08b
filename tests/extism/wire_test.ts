import { assert, assertEquals, assertRejects } from "@std/assert";
import { CallContext } from "../../communication/extism/call_context.ts";
import { extismService } from "../../communication/extism/functions.ts";
import type {
  ExtismCall,
  ExtismFunction,
} from "../../communication/extism/types.ts";
import { ExtismVars } from "../../communication/extism/vars.ts";
import {
  answerCall,
  applyReply,
  encodeCall,
} from "../../communication/extism/wire.ts";

const NAMES = { namespace: "user", name: "run" };

/** A call, and what became of the plug-in's memory. */
function makeCall(args: ExtismCall["args"]) {
  const blocks = new Map([[64n, new TextEncoder().encode("hello")]]);
  const vars = new ExtismVars(100);
  vars.set("kept", Uint8Array.of(1));
  vars.set("dropped", Uint8Array.of(2));
  let error: string | undefined;
  let next = 1_000n;
  const memory: ExtismCall["memory"] = {
    read: (handle) => blocks.get(handle),
    store(bytes) {
      blocks.set(++next, new Uint8Array(bytes));
      return next;
    },
    setError(message) {
      error = message;
    },
  };
  const call: ExtismCall = { ...NAMES, args, memory, vars };
  return { call, blocks, vars, error: () => error };
}

async function through(call: ExtismCall, run: ExtismFunction) {
  const service = extismService({ functions: { user: { run } } });
  return applyReply(call, await answerCall(encodeCall(call), service));
}

Deno.test("answerCall() carries numbers, blocks, variables and errors", async () => {
  const made = makeCall([64n, -0, NaN, 7]);
  const result = await through(made.call, (context, handle, ...numbers) => {
    assert(context instanceof CallContext);
    assertEquals(numbers, [-0, NaN, 7]);
    assertEquals(context.read(handle)?.text(), "hello");
    assertEquals(context.read(128n), null);
    assertEquals(context.getVariable("kept")?.bytes(), Uint8Array.of(1));
    context.setVariable("new", "value");
    context.deleteVariable("dropped");
    context.setError("went wrong");
    const block = context.store("reply");
    assertEquals(context.read(block)?.text(), "reply");
    return [block, 64n];
  });
  const [block] = result as readonly bigint[];
  assertEquals(result, [1_001n, 64n]);
  assertEquals(
    new TextDecoder().decode(made.blocks.get(block ?? 0n)),
    "reply",
  );
  assertEquals([...made.vars.entries()].map(([name]) => name), ["kept", "new"]);
  assertEquals(made.error(), "went wrong");
});

Deno.test("answerCall() refuses what is no call", async () => {
  const service = extismService({});
  const header = (value: unknown) => {
    const json = new TextEncoder().encode(JSON.stringify(value));
    const bytes = new Uint8Array(4 + json.length);
    new DataView(bytes.buffer).setUint32(0, json.length, true);
    bytes.set(json, 4);
    return bytes;
  };
  const right = {
    ...NAMES,
    args: [],
    blocks: [],
    vars: [],
    maxVarBytes: 10,
  };
  const wrong = [
    new Uint8Array(),
    Uint8Array.of(255, 255, 255, 255, 1),
    header(null),
    header([]),
    header({ ...right, args: 1 }),
    header({ ...right, args: ["x"] }),
    header({ ...right, blocks: [["64", 5]] }),
    header({ ...right, blocks: [["64", -5]] }),
    header({ ...right, blocks: [["0x1", 0]] }),
    header({ ...right, vars: [["a", 2 ** 53]] }),
    header({ ...right, namespace: { toString: null } }),
  ];
  for (const message of wrong) {
    await assertRejects(() => answerCall(message, service), TypeError);
  }
  await assertRejects(
    () => answerCall(header(right), service),
    TypeError,
    "no such function",
  );
});

Deno.test("extismService() keeps to functions of its own", async () => {
  const service = extismService({ functions: { user: { run: () => 1n } } });
  for (const name of ["toString", "__proto__", "constructor"]) {
    const { call } = makeCall([]);
    await assertRejects(
      async () => await service({ ...call, name }),
      TypeError,
      "no such function",
    );
    await assertRejects(
      async () => await service({ ...call, namespace: name }),
      TypeError,
      "no such function",
    );
  }
});

Deno.test("CallContext holds until its function has returned", async () => {
  let kept: CallContext | undefined;
  await through(makeCall([64n]).call, (context) => {
    kept = context;
  });
  assertEquals(kept?.read(64n), null);
  await assertRejects(
    async () => await kept?.store("late"),
    TypeError,
    "returned",
  );
});
