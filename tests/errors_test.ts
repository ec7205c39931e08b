import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { SandboxError } from "../mod.ts";

Deno.test("SandboxError.fromJSON() gives back what toJSON() gave", () => {
  const error = new SandboxError("limit-exceeded", "Cannot complete", {
    cause: new SandboxError("trap", "inner", {
      cause: new TypeError("innermost"),
      details: { export: "run", kind: "trap" },
    }),
    details: { limit: "fuel", allowed: 5, used: 7, suggestion: "raise fuel" },
  });
  const copy = SandboxError.fromJSON(JSON.parse(JSON.stringify(error)));
  assert(SandboxError.is(copy, "limit-exceeded"));
  assertEquals(copy.message, error.message);
  assertEquals(copy.details, error.details);
  const inner = copy.cause;
  assert(SandboxError.is(inner, "trap"));
  assertEquals(inner.details, { export: "run", kind: "trap" });
  assert(inner.cause instanceof Error);
  assertEquals(inner.cause.name, "TypeError");
  assertEquals(inner.cause.message, "innermost");
  assertEquals(copy.toJSON(), error.toJSON());
});

Deno.test("SandboxError.fromJSON() refuses what is not an error", () => {
  const bad: unknown[] = [
    null,
    7,
    "text",
    {},
    { name: "Error", message: "no code" },
    { name: "SandboxError", message: "m", code: "no-such-code", details: {} },
    { name: "SandboxError", message: "m", code: "trap" },
    { name: 1, message: "m", code: "trap", details: {} },
  ];
  for (const data of bad) {
    assertThrows(() => SandboxError.fromJSON(data), TypeError);
  }
});

Deno.test("SandboxError.fromJSON() carries a bounded chain of causes", () => {
  let error = new Error("last");
  for (let depth = 0; depth < 100_000; depth++) {
    error = new Error("more", { cause: error });
  }
  const outer = new SandboxError("disposed", "m", {
    cause: error,
    details: { kind: "sandbox" },
  });
  let depth = 0;
  let cause: unknown = SandboxError.fromJSON(outer.toJSON());
  while (cause instanceof Error) {
    depth++;
    cause = cause.cause;
  }
  assert(depth < 20);
});

Deno.test("SandboxError.is() tells codes and other errors apart", () => {
  const error = new SandboxError("disposed", "m", {
    details: { kind: "sandbox" },
  });
  assert(SandboxError.is(error));
  assert(SandboxError.is(error, "disposed"));
  assertFalse(SandboxError.is(error, "trap"));
  assertFalse(SandboxError.is(new Error("m")));
  assertFalse(SandboxError.is({ code: "trap", details: {} }));
  assertFalse(SandboxError.is(undefined));
});

Deno.test("SandboxError.is() knows the error of another copy", async () => {
  const source = await Deno.readTextFile(
    new URL("../errors.ts", import.meta.url),
  );
  const copy = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(copy, source);
    const other = await import(`file://${copy}`);
    const error = new other.SandboxError("disposed", "m", {
      details: { kind: "sandbox" },
    });
    assertFalse(error instanceof SandboxError);
    assert(SandboxError.is(error, "disposed"));
  } finally {
    await Deno.remove(copy);
  }
});

Deno.test("SandboxError details cannot be changed", () => {
  const error = new SandboxError("disposed", "m", {
    details: { kind: "sandbox" },
  });
  assert(Object.isFrozen(error.details));
});
