/**
 * The guest of this process: a module that was looked over and capped, and the
 * engine that is to run it.
 *
 * @module
 */

import { SecurityAuditor } from "../../../security/auditor.ts";
import {
  type ResolvedLimits,
  resolveLimits,
} from "../../../security/limits.ts";
import { SecurityPolicy } from "../../../security/policy.ts";
import type {
  Auditor,
  AuditSink,
  Capability,
} from "../../../security/types.ts";
import { capped } from "../../capped.ts";
import type { Module } from "../../types.ts";
import { describe } from "../../v8/compiled.ts";
import { gate, validate } from "../../v8/gate.ts";
import { requireModule } from "../admission.ts";
import { MODULE_PATH, type WasmerOpen } from "../messages.ts";
import type { SdkFiles } from "../sdk_files.ts";
import { notTaken } from "./refusal.ts";
import { startWasmer, type Wasmer } from "./sdk.ts";
import { Threads } from "./threads.ts";

/** What a program is called, unless its run says otherwise. */
const USUAL_NAME = "guest";

/** A guest that is ready to run. */
export class Guest {
  /** The module, as it is described to others. */
  readonly module: Omit<Module, "byteLength">;
  /** The limits. */
  readonly limits: ResolvedLimits;
  /** What is granted. */
  readonly capabilities: readonly Capability[];
  /** Decides, and records. */
  readonly auditor: Auditor;
  /** The engine. */
  readonly wasmer: Wasmer;
  /** Its threads. */
  readonly threads: Threads;
  readonly #code: Uint8Array;
  readonly #package: unknown;

  private constructor(
    { module, open, auditor, wasmer, threads }: {
      readonly module: Omit<Module, "byteLength">;
      readonly open: WasmerOpen;
      readonly auditor: Auditor;
      readonly wasmer: Wasmer;
      readonly threads: Threads;
    },
    code: Uint8Array,
    usual: unknown,
  ) {
    this.module = module;
    this.limits = resolveLimits(open.limits);
    this.capabilities = open.capabilities;
    this.auditor = auditor;
    this.wasmer = wasmer;
    this.threads = threads;
    this.#code = code;
    this.#package = usual;
  }

  /**
   * Looks a module over, and starts the engine.
   *
   * @param open What the host wants.
   * @param files The module, and the SDK.
   * @param sink Takes events.
   * @returns The guest.
   * @throws {SandboxError} If the module is refused.
   */
  static async open(
    open: WasmerOpen,
    files: SdkFiles,
    sink: AuditSink,
  ): Promise<Guest> {
    const limits = resolveLimits(open.limits);
    const { features, capabilities } = open;
    const { tableElements } = limits;
    const bytes = files.get(MODULE_PATH) ?? new Uint8Array();
    const mode = { deadline: false, fuel: false, tableElements };
    const gated = gate(bytes, mode, { ...limits, features });
    validate(bytes);
    const module = describe(gated);
    const policy = SecurityPolicy.from(capabilities);
    const auditor = new SecurityAuditor(policy, { sinks: [sink] });
    requireModule({ ...module, byteLength: bytes.length }, {
      auditor,
      capabilities,
      threads: features.threads === true,
    });
    const code = capped(gated, limits, { makesImports: true });
    const threads = new Threads();
    threads.watch();
    const wasmer = await startWasmer(files, open.enginePages);
    await warmUp(wasmer, threads);
    const usual = await packed(wasmer, code, USUAL_NAME);
    return new Guest(
      { module, open, auditor, wasmer, threads },
      code,
      usual,
    );
  }

  /**
   * The module as a command of the engine's.
   *
   * @param name What the program is told its own name is.
   * @returns The package.
   */
  command(name: string): Promise<unknown> {
    return name === USUAL_NAME
      ? Promise.resolve(this.#package)
      : packed(this.wasmer, this.#code, name);
  }
}

/** A program that does nothing, with a memory, as Wasmer asks for. */
const NOTHING = Uint8Array.fromHex(
  "0061736d01000000010401600000030201000503010001071302066d656d6f7279" +
    "0200065f737461727400000a040102000b",
);

/** Starts the thread of the first program, which takes no time of its own then. */
async function warmUp(wasmer: Wasmer, threads: Threads): Promise<void> {
  const nothing = await packed(wasmer, NOTHING, USUAL_NAME);
  const sandbox = await wasmer.sandboxes.create({
    packages: [nothing],
    env: {},
    files: {},
  });
  const process = await sandbox.command(nothing, [], {}).spawn({
    stdin: "closed",
    stdout: "discard",
    stderr: "discard",
  });
  await process.wait();
  await threads.end();
}

async function packed(
  wasmer: Wasmer,
  code: Uint8Array,
  name: string,
): Promise<unknown> {
  try {
    return await wasmer.packages.create({
      modules: { main: code },
      commands: { [name]: { module: "main" } },
    });
  } catch (cause) {
    throw notTaken(cause instanceof Error ? cause.message : String(cause));
  }
}
