/** Guests that recurse until there is hardly any stack, and then call WASI. */

import { assert, assertEquals } from "@std/assert";
import {
  type AuditEvent,
  Sandbox,
  SandboxError,
  SecurityPolicy,
} from "../../mod.ts";
import { wat } from "../wasm.ts";

/** Makes a directory `d` after so many calls of itself. */
const DIVER = await wat(`(module
  (import "wasi_snapshot_preview1" "path_create_directory"
    (func $make (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 100) "d")
  (func $dive (export "dive") (param i32) (result i32)
    (if (result i32) (i32.eqz (local.get 0))
      (then (call $make (i32.const 3) (i32.const 100) (i32.const 1)))
      (else (i32.add (i32.const 0)
        (call $dive (i32.sub (local.get 0) (i32.const 1))))))))`);

/** Uses more of the stack than anything that makes a directory. */
function deepSink(events: AuditEvent[]): (event: AuditEvent) => void {
  const dive = (event: AuditEvent, depth: number): void => {
    if (depth === 0) events.push(event);
    else dive(event, depth - 1);
  };
  return (event) => dive(event, 2000);
}

Deno.test("Wasi does nothing that a guest keeps from being recorded", async () => {
  const host = await Deno.makeTempDir();
  const events: AuditEvent[] = [];
  const record = deepSink(events);
  const dive = async (depth: number): Promise<number | undefined> => {
    await using sandbox = await Sandbox.create({
      module: DIVER,
      policy: SecurityPolicy.from([{
        type: "filesystem",
        mounts: [{ guest: "/", host, access: "read-write" }],
      }]),
      audit: { record },
    });
    try {
      return Number(await sandbox.call("dive", [depth]));
    } catch (error) {
      if (SandboxError.is(error, "limit-exceeded")) return undefined;
      throw error;
    }
  };
  try {
    let [works, fails] = [0, 100_000];
    while (fails - works > 1) {
      const depth = (works + fails) >> 1;
      events.length = 0;
      const errno = await dive(depth);
      const made = (await Array.fromAsync(Deno.readDir(host))).length;
      if (errno === undefined) fails = depth;
      else works = depth;
      if (made > 0) await Deno.remove(`${host}/d`);
      // either all of it happened, or none
      assertEquals(errno, made > 0 ? 0 : undefined, `${depth}`);
      assertEquals(events.length, made);
    }
    assert(works > 1_000);
  } finally {
    await Deno.remove(host, { recursive: true });
  }
});
