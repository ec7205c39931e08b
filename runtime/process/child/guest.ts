/**
 * The guest of this process.
 *
 * @module
 */

import { resolveLimits } from "../../../security/limits.ts";
import { SecurityAuditor } from "../../../security/auditor.ts";
import { SecurityPolicy } from "../../../security/policy.ts";
import { InlineInstance } from "../../inline_instance.ts";
import { InlineSource } from "../../inline_source.ts";
import type { HostFunction, Module, WasmValue } from "../../types.ts";
import { V8Runtime } from "../../v8/runtime.ts";
import { type ErrnoName, WasiError } from "../../wasi/errno.ts";
import { HostTree } from "../../wasi/fs/host_tree.ts";
import type { OpenHostTree } from "../../wasi/types.ts";
import type { Open, SentImport } from "../messages.ts";
import { decodeNumber, encodeNumber } from "../numbers.ts";
import { EventSink } from "./events.ts";
import type { Pipe } from "./pipe.ts";

/** A module that is open, under its policy. */
export class ChildGuest {
  readonly #source: InlineSource;
  readonly #events: EventSink;

  private constructor(source: InlineSource, events: EventSink) {
    this.#source = source;
    this.#events = events;
  }

  /**
   * Compiles a module.
   *
   * @param open What the host wants.
   * @param module The module's bytes.
   * @param pipe The way to the host.
   * @returns The guest.
   */
  static async open(
    open: Open,
    module: Uint8Array<ArrayBuffer>,
    pipe: Pipe,
  ): Promise<ChildGuest> {
    const events = new EventSink(pipe);
    const policy = SecurityPolicy.from(open.capabilities);
    const source = await InlineSource.create({
      // the host kills this process at the deadline
      runtime: new V8Runtime({ keepsDeadlines: false }),
      module,
      limits: resolveLimits(open.limits),
      features: open.features,
      imports: importsOf(open.imports, pipe),
      capabilities: policy.capabilities,
      auditor: new SecurityAuditor(policy, { sinks: [events] }),
      openHostTree: hostTrees(pipe),
    });
    return new ChildGuest(source, events);
  }

  /** The module. */
  get module(): Module {
    return this.#source.module;
  }

  /** Sends the events that were kept. */
  flush(): void {
    this.#events.flush();
  }

  /**
   * Makes an instance.
   *
   * @param fuel The fuel that is left, if it is counted.
   * @returns The instance.
   */
  async instantiate(fuel: number | undefined): Promise<InlineInstance> {
    const options = fuel === undefined ? {} : { fuel };
    const instance = await this.#source.instantiate(options);
    if (instance instanceof InlineInstance) return instance;
    throw new TypeError("the instance is not of this thread");
  }
}

type Namespace = Record<string, HostFunction | WasmValue>;

function importsOf(
  sent: readonly SentImport[],
  pipe: Pipe,
): Record<string, Namespace> {
  const imports: Record<string, Namespace> = Object.create(null);
  for (const [index, { module, name, value }] of sent.entries()) {
    const namespace: Namespace = imports[module] ??= Object.create(null);
    namespace[name] = value === undefined
      ? askedOf(pipe, index)
      : decodeNumber(value) ?? 0;
  }
  return imports;
}

/** A function that the host runs. */
function askedOf(pipe: Pipe, index: number): HostFunction {
  return (...args) => {
    const { answer } = pipe.ask({
      what: "call",
      index,
      args: args.map(encodeNumber),
    });
    if (answer.problem !== undefined) throw new Error(answer.problem);
    const values = (answer.values ?? []).map((text) => decodeNumber(text) ?? 0);
    return values.length > 1 ? values : values[0];
  };
}

/** Directories of the host in which the host itself makes symbolic links. */
function hostTrees(pipe: Pipe): OpenHostTree {
  return ({ guest, host, symlinks }) =>
    new HostTree({
      root: host,
      symlinks,
      symlink(target, path) {
        const { answer } = pipe.ask({
          what: "symlink",
          mount: guest,
          target,
          path,
        });
        if (answer.problem === undefined) return;
        throw new WasiError(answer.problem as ErrnoName);
      },
    });
}
