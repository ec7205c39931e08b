import { assert, assertEquals, assertRejects } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import type { Capability } from "../../security/types.ts";
import { wat } from "../wasm.ts";
import {
  childrenOf,
  execute,
  GRANTS,
  IMPORTS,
  numbers,
  open,
  text,
  tour,
} from "./_process.ts";

function throwing(thrown: unknown): () => never {
  return () => {
    throw thrown;
  };
}

const ODD: Readonly<Record<string, () => unknown>> = {
  "undefined": throwing(undefined),
  "a symbol": throwing(Symbol("no")),
  "what is no text": throwing(Object.create(null)),
  "an error with a getter": throwing(
    Object.defineProperty(new Error(), "message", {
      get: throwing(new Error("gotten")),
    }),
  ),
  "an error whose message is a number": throwing(
    Object.defineProperty(new Error(), "message", { value: 5 }),
  ),
  "a rejection": () => Promise.reject(null),
  "text for a number": () => "5",
  "more results than fit into a message": () => Array(3_000_000).fill(1),
};

for (const [what, twice] of Object.entries(ODD)) {
  Deno.test(`call() tells of a host function with ${what}`, async () => {
    await using source = await open(await numbers(), {
      // deno-lint-ignore no-explicit-any -- it gives what its type forbids
      imports: { host: { ...IMPORTS["host"], twice: twice as any } },
    });
    await using instance = await source.instantiate({});
    const error = await assertRejects(
      () => instance.call("twice", [1]),
      SandboxError,
    );
    assert(SandboxError.is(error, "host-function-failed"), error.message);
    assertEquals(error.details.import, { module: "host", name: "twice" });
    // nobody's fault but the function's: the process lives
    await using next = await source.instantiate({});
    assertEquals(await next.call("add", [1, 2]), 3);
  });
}

Deno.test("instantiate() tells of missing imports, however long their names", async () => {
  for (const length of [30_000, 9_000_000]) {
    await using source = await open(
      await wat(`(module (import "${"m".repeat(length)}" "f" (func)))`),
    );
    const error = await assertRejects(
      () => source.instantiate({}),
      SandboxError,
    );
    assertEquals(error.code, "import-not-granted");
  }
});

Deno.test("call() tells of a trap in a function of a long name", async () => {
  const name = "e".repeat(30_000);
  await using source = await open(
    await wat(`(module (func (export "${name}") unreachable))`),
  );
  await using instance = await source.instantiate({});
  const error = await assertRejects(
    () => instance.call(name, []),
    SandboxError,
  );
  assertEquals(error.code, "trap");
});

Deno.test("a process sees directories of any name", async () => {
  const parent = await Deno.makeTempDir();
  try {
    for (
      const name of ["a b", "a\tb", "a\\040b", "#a", "a\u00a0b", "a\u3000b"]
    ) {
      const host = `${parent}/${name}`;
      await Deno.mkdir(host);
      await Deno.writeTextFile(`${host}/in`, name);
      const files: Capability & { readonly mounts: unknown } = {
        type: "filesystem",
        mounts: [{ guest: "/data", host }],
      };
      await using source = await open(await tour(), {
        capabilities: [...GRANTS, files],
      });
      await using instance = await source.instantiate({});
      const { stdout } = await execute(instance, ["cat", "/data/in"]);
      assertEquals(text(stdout), name);
    }
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
});

Deno.test("a process does not know where its host works", async () => {
  await using source = await open(await numbers(), { imports: IMPORTS });
  await using _ = await source.instantiate({});
  const [pid] = childrenOf(Deno.pid);
  const [cwd, root] = await Promise.all(
    ["cwd", "root"].map((name) => Deno.readLink(`/proc/${pid}/${name}`)),
  );
  assertEquals(cwd, root);
});
