/**
 * A guest that asks for more than functions of numbers: its WASI layer decides
 * by the policy, here as in the host's own thread.
 *
 * @module
 */

import { SecurityAuditor } from "../../../security/auditor.ts";
import { SecurityPolicy } from "../../../security/policy.ts";
import { InlineInstance } from "../../inline_instance.ts";
import { InlineSource } from "../../inline_source.ts";
import type { Module, Runtime } from "../../types.ts";
import { type ErrnoName, WasiError } from "../../wasi/errno.ts";
import { HostTree } from "../../wasi/fs/host_tree.ts";
import type { OpenHostTree } from "../../wasi/types.ts";
import { EventSink } from "./events.ts";
import type { GuestParts, OpenGuest } from "./guest.ts";
import type { Pipe } from "./pipe.ts";

/**
 * Opens a guest under its policy.
 *
 * @param module The module, compiled.
 * @param parts What it is opened with.
 * @returns The guest.
 */
export async function openWasiGuest(
  module: Module,
  { open, pipe, runtime, limits, imports }: GuestParts,
): Promise<OpenGuest> {
  const events = new EventSink(pipe);
  const policy = SecurityPolicy.from(open.capabilities);
  const source = await InlineSource.create({
    runtime: compiled(runtime, module),
    module: new Uint8Array(),
    limits,
    features: open.features,
    imports,
    capabilities: policy.capabilities,
    auditor: new SecurityAuditor(policy, { sinks: [events] }),
    openHostTree: hostTrees(pipe, open.alone),
  });
  return {
    module,
    async instantiate(fuel) {
      const options = fuel === undefined ? {} : { fuel };
      const instance = await source.instantiate(options);
      if (instance instanceof InlineInstance) return instance;
      throw new TypeError("the instance is not of this thread");
    },
    flush: () => events.flush(),
  };
}

/** A runtime that has compiled its only module already. */
function compiled(runtime: Runtime, module: Module): Runtime {
  return {
    name: runtime.name,
    features: runtime.features,
    compile: () => Promise.resolve(module),
    instantiate: (module, options) => runtime.instantiate(module, options),
    [Symbol.asyncDispose]: () => runtime[Symbol.asyncDispose](),
  };
}

/** Directories of the host in which the host itself makes symbolic links. */
function hostTrees(pipe: Pipe, isAlone: boolean): OpenHostTree {
  return ({ guest, host, symlinks }) =>
    new HostTree({
      root: host,
      symlinks,
      // with nothing outside, there is nothing to be led to
      wary: !isAlone,
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
