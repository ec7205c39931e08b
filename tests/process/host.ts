/**
 * A program of its own that makes a guest's process: it prints what came of it.
 * With the argument `spin` its guest spins, once it has said its process's id.
 *
 * @module
 */

import type { ServiceProvider } from "../../communication/types.ts";
import { SandboxError } from "../../errors.ts";
import type { ChildProcess } from "../../runtime/process/child_process.ts";
import { Machine } from "../../runtime/process/machine.ts";
import { ProcessPool } from "../../runtime/process/pool.ts";
import { ProcessSource } from "../../runtime/process/process_source.ts";
import { resolveLimits } from "../../security/limits.ts";

// (module
//   (func (export "add") (param i32 i32) (result i32)
//     local.get 0 local.get 1 i32.add)
//   (func (export "spin") (loop br 0)))
const MODULE = Uint8Array.fromHex(
  "0061736d01000000010a0260027f7f017f6000000303020001070e02036164640000" +
    "047370696e00010a11020700200020016a0b070003400c000b0b",
);

/** The guest asks for nothing. */
const SERVICES: ServiceProvider = {
  begin() {
    throw new Error("Cannot begin a call: there are no services");
  },
};

/** Tells of each process that is taken from it. */
class TellingPool extends ProcessPool {
  override async acquire(
    ...args: Parameters<ProcessPool["acquire"]>
  ): Promise<ChildProcess> {
    const child = await super.acquire(...args);
    print({ pid: child.pid });
    return child;
  }
}

function print(data: unknown): void {
  const line = new TextEncoder().encode(`${JSON.stringify(data)}\n`);
  Deno.stdout.writeSync(line);
}

async function main([what, wrap]: readonly string[]): Promise<void> {
  try {
    await using pool = new TellingPool({ spares: 0 });
    await using source = await ProcessSource.create({
      module: MODULE,
      limits: resolveLimits({ timeoutMs: 60_000 }),
      features: {},
      imports: {},
      services: SERVICES,
      capabilities: [],
      onEvent() {},
      machine: new Machine({ wrap: wrap !== "plain" }),
      pool: what === undefined ? undefined : pool,
    });
    await using instance = await source.instantiate({});
    const report = source.isolationReport;
    if (what === "spin") await instance.call("spin", []);
    print({ result: await instance.call("add", [2, 3]), report });
  } catch (error) {
    print(SandboxError.is(error) ? error.toJSON() : String(error));
  }
}

if (import.meta.main) await main(Deno.args);
