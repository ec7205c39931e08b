/**
 * What the tests of limits have in common.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  Capabilities,
  type Capability,
  Sandbox,
  SandboxError,
  type SandboxOptions,
} from "../../mod.ts";
import type { LimitName } from "../../security/limits.ts";
import { childrenOf } from "../process/_process.ts";
import { echo } from "./_guest.ts";

/** Where a guest runs. */
export type Isolation = "inline" | "process";
/** Everywhere. */
export const ISOLATIONS: readonly Isolation[] = ["inline", "process"];

/** A program with files in memory. */
export const POLICY: readonly Capability[] = [
  ...Capabilities.program(),
  Capabilities.filesystem({
    mounts: [{ guest: "/", memory: true, symlinks: "within" }],
  }),
];

/** Makes a sandbox. */
export function create(
  module: SandboxOptions["module"],
  isolation: Isolation,
  options: Partial<SandboxOptions> = {},
): Promise<Sandbox> {
  return Sandbox.create({
    module,
    isolation,
    policy: POLICY,
    imports: { env: { tick: () => 0 } },
    ...options,
  });
}

/** Something ends with the error of a limit; gives what it says. */
export async function ends(
  limit: string,
  run: () => Promise<unknown>,
): Promise<SandboxError<"limit-exceeded">["details"]> {
  const error = await assertRejects(run);
  assert(SandboxError.is(error, "limit-exceeded"), `${limit}: ${error}`);
  assertEquals(error.details.limit, limit, error.message);
  assert(error.details.suggestion.length > 10);
  assert(error.message.includes(error.details.suggestion));
  return error.details;
}

/** Nobody enforces a limit here, and that is said. */
export async function assertRefused(
  name: LimitName,
  isolation: Isolation,
): Promise<void> {
  const module = await echo();
  // by inheritance too
  for (
    const limits of [{ [name]: 300_000 }, Object.create({ [name]: 300_000 })]
  ) {
    const error = await assertRejects(() =>
      create(module, isolation, { limits })
    );
    assert(SandboxError.is(error, "unsupported"), String(error));
    assert(error.message.includes(name), error.message);
  }
}

/** The host serves on, and nothing of the guest's is left. */
export async function assertHostStands(isolation: Isolation): Promise<void> {
  assertEquals(childrenOf(Deno.pid), []);
  await using sandbox = await create(await echo(), isolation);
  assertEquals(await sandbox.call("answer"), 42);
}

/** Body of a guest that never ends: it loops, asks, reads, sleeps, writes. */
export const ENDLESS =
  `(if (i32.eq (local.get $n) (i32.const 7)) (then (loop br 0)))
  (if (i32.eq (local.get $n) (i32.const 8))
    (then (drop (call $tick (i32.const 0)))))
  (if (i32.eq (local.get $n) (i32.const 9)) (then
    (call $buffer (i32.const 9))
    (drop (call $fd_read (i32.const 0) (i32.const 32) (i32.const 1)
      (i32.const 52)))))
  (if (i32.eq (local.get $n) (i32.const 6)) (then
    ;; a clock, an hour
    (i32.store (i32.const 80) (i32.const 0))
    (i32.store (i32.const 88) (i32.const 1))
    (i64.store (i32.const 96) (i64.const 3600000000000))
    (drop (call $poll_oneoff (i32.const 72) (i32.const 200) (i32.const 1)
      (i32.const 48)))))
  (if (i32.eq (local.get $n) (i32.const 5))
    (then (drop (call $put (i32.const 1) (i32.const 9)))))
  (local.get $n)`;

/** Something is ended by a deadline, and in time. */
export async function late(
  allowed: number,
  run: () => Promise<unknown>,
): Promise<void> {
  const start = performance.now();
  const details = await ends("timeoutMs", run);
  const ms = performance.now() - start;
  assertEquals(details.allowed, allowed);
  assert(ms > allowed - 5 && ms < allowed + 1_500, `${ms} ms`);
}
