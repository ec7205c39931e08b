/** One plugin: its calls, and what it is doing. */

import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { SandboxError } from "../../errors.ts";
import type { Sandbox } from "../../sandbox.ts";
import { type CallTerms, isGuestFailure } from "./blame.ts";
import { kept, needsApproval, unavailable } from "./errors.ts";
import type { Release } from "./release.ts";
import type { PluginSource } from "./source.ts";
import { type SlotContext, Succession } from "./succession.ts";
import { Supervisor } from "./supervisor.ts";
import type { PluginInfo, PluginState } from "./types.ts";

/** A plugin by name. */
export class PluginSlot {
  readonly name: string;
  /** Its versions. */
  readonly versions: Succession;
  readonly #source: PluginSource;
  readonly #context: SlotContext;
  readonly #supervisor: Supervisor;
  #lastFailure: Error | undefined;
  #calls = 0;
  #failures = 0;

  constructor(name: string, source: PluginSource, context: SlotContext) {
    this.name = name;
    this.#source = source;
    this.#context = context;
    this.#supervisor = new Supervisor(context.settings.supervision);
    this.versions = new Succession({
      name,
      source,
      context,
      onSwitch: () => this.#forgive(),
    });
  }

  /** Path of its module, if that is a file. */
  get file(): string | undefined {
    const { module } = this.#source.options;
    if (typeof module === "string") return resolve(module);
    return module instanceof URL && module.protocol === "file:"
      ? fileURLToPath(module)
      : undefined;
  }

  /** Whether it was found in the directory, and not named. */
  get isFound(): boolean {
    return this.#source.policyFile !== undefined;
  }

  /** Whether a version serves, or waits for approval. */
  get isUseful(): boolean {
    const { current, request } = this.versions;
    return current !== undefined || request !== undefined;
  }

  /** Lends a guest to a call. */
  async use<T>(
    run: (sandbox: Sandbox) => Promise<T>,
    terms: CallTerms,
  ): Promise<T> {
    const { signal } = terms;
    const operation = signal === undefined ? {} : { signal };
    const { versions } = this;
    while (versions.hold !== undefined) await versions.hold.wait(operation);
    const release = this.#admit();
    this.#calls++;
    let guest: Sandbox | undefined;
    try {
      const result = await release.use((sandbox) => {
        guest = sandbox;
        return run(sandbox);
      }, operation);
      if (release === versions.current) this.#supervisor.succeeded();
      return result;
    } catch (error) {
      if (isGuestFailure(error, terms, guest)) this.#failed(error, release);
      throw error;
    }
  }

  /** Ends a quarantine. */
  release(): void {
    this.#forgive();
    this.#context.events.emit("released", this.name, {});
  }

  /** What there is to know. */
  info(): PluginInfo {
    const { current, error, request } = this.versions;
    const { version, candidate } = current ?? {};
    const { retryAfterMs } = this.#supervisor;
    return Object.freeze({
      name: this.name,
      state: this.#state(),
      ...(version === undefined ? {} : { version }),
      ...(candidate === undefined ? {} : { sha256: candidate.sha256 }),
      capabilities: candidate?.ask.policy.toJSON() ?? [],
      exports: current?.exports ?? [],
      calls: this.#calls,
      failures: this.#failures,
      ...(request === undefined ? {} : { request }),
      ...(error === undefined ? {} : { error }),
      ...(retryAfterMs === 0 ? {} : { retryAfterMs }),
    });
  }

  #state(): PluginState {
    const { current, error, request, isClosing } = this.versions;
    if (isClosing) return "unloading";
    if (current === undefined) {
      if (request !== undefined) return "awaiting-approval";
      return error === undefined ? "loading" : "failed";
    }
    if (this.#supervisor.isQuarantined) return "quarantined";
    return this.#supervisor.retryAfterMs > 0 ? "backing-off" : "serving";
  }

  /** The version that takes a call, or why none does. */
  #admit(): Release {
    const state = this.#state();
    const { current, request, error } = this.versions;
    if (state === "serving" && current !== undefined) return current;
    switch (state) {
      case "backing-off": {
        const { failures, retryAfterMs } = this.#supervisor;
        throw unavailable(
          this.name,
          state,
          `its guests have failed ${failures} times in a row`,
          { retryAfterMs, cause: this.#lastFailure },
        );
      }
      case "quarantined":
        throw unavailable(
          this.name,
          state,
          `its guests have failed ${this.#supervisor.failures} times in a row, ` +
            "and it is in quarantine",
          { cause: this.#lastFailure },
        );
      case "awaiting-approval":
        throw needsApproval(this.name, request);
      case "unloading":
        throw unavailable(this.name, state, "it is being unloaded");
      default:
        throw unavailable(
          this.name,
          "failed",
          state === "failed"
            ? "it could not be loaded"
            : "it has not been loaded yet",
          { cause: error },
        );
    }
  }

  #failed(error: SandboxError, release: Release): void {
    this.#failures++;
    // a version that is gone says nothing about the one that serves
    if (release !== this.versions.current) return;
    this.#lastFailure = kept(error);
    const { isQuarantined, failures, retryAfterMs } = this.#supervisor.failed();
    const { events } = this.#context;
    events.emit("failed", this.name, { error, failures, retryAfterMs });
    if (isQuarantined) events.emit("quarantined", this.name, { failures });
  }

  #forgive(): void {
    this.#lastFailure = undefined;
    this.#supervisor.reset();
  }
}
