import { assert, assertEquals, assertRejects } from "@std/assert";
import { Capabilities, Sandbox, SandboxError } from "../mod.ts";
import { wat } from "./wasm.ts";

const MODULE = await wat(`(module
  (import "kv" "get" (func $get (result i32)))
  (import "kv" "drop" (func $drop (result i32)))
  (func (export "get") (result i32) (call $get))
  (func (export "drop") (result i32)
    (try (result i32) (do (call $drop)) (catch_all (i32.const -1)))))`);

for (const isolation of ["inline", "process"] as const) {
  Deno.test(`a policy that names host functions means no others, ${isolation}`, async () => {
    const calls: string[] = [];
    await using sandbox = await Sandbox.create({
      module: MODULE,
      isolation,
      instance: "fresh",
      policy: [
        Capabilities.hostFunctions(["kv.get"], { maxCalls: { "kv.get": 2 } }),
      ],
      imports: {
        kv: {
          get: () => calls.push("get"),
          drop: () => calls.push("drop"),
        },
      },
    });
    assertEquals(await sandbox.call("get"), 1);
    const denied = await assertRejects(() => sandbox.call("drop"));
    assert(SandboxError.is(denied, "access-denied"), String(denied));
    assertEquals(denied.details.resource, "kv.drop");
    assertEquals(await sandbox.call("get"), 2);
    const exceeded = await assertRejects(() => sandbox.call("get"));
    assert(SandboxError.is(exceeded, "limit-exceeded"), String(exceeded));
    assertEquals(exceeded.details.limit, "host_functions.kv.get");
    assertEquals(calls, ["get", "get"]);
    assertEquals(sandbox.usage().counters, {
      "host_functions.kv.get": { allowed: 2, used: 2 },
    });
    assertEquals(
      sandbox.audit.events().map(({ decision, resource }) =>
        `${decision} ${resource}`
      ),
      ["allowed kv.get", "denied kv.drop", "allowed kv.get", "denied kv.get"],
    );
  });
}
