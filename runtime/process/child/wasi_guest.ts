/**
 * A guest that asks for more than functions of numbers: its WASI layer decides
 * by the policy, here as in the host's own thread, and its host serves it by
 * the pipe.
 *
 * @module
 */

import { usesGuestImports } from "../../../communication/abi_version.ts";
import { splitCommands } from "../../../communication/extism/commands.ts";
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
import { PipeServices } from "./services.ts";

/**
 * Opens a guest under its policy.
 *
 * @param module The module, if it is compiled already.
 * @param parts What it is opened with.
 * @returns The guest.
 */
export async function openWasiGuest(
  module: Module | undefined,
  { open, pipe, runtime, limits, imports, main, linked }: GuestParts,
): Promise<OpenGuest> {
  const all: Module[] = [];
  const events = new EventSink(pipe);
  const flush = () => events.flush();
  const { messageBytes } = limits;
  const policy = SecurityPolicy.from(open.capabilities);
  const source = await InlineSource.create({
    runtime: compiled(runtime, { main, module, all }),
    module: main,
    linked,
    services: { begin: () => new PipeServices(pipe, { messageBytes, flush }) },
    extism: open.extism,
    limits,
    features: open.features,
    imports,
    capabilities: policy.capabilities,
    auditor: new SecurityAuditor(policy, { sinks: [events] }),
    openHostTree: hostTrees(pipe, open.alone),
  });
  return {
    module: source.module,
    asks: all.some(usesGuestImports) || open.extism !== undefined,
    waits: open.extism !== undefined && hasCommands(all.slice(1)),
    async instantiate(fuel) {
      const options = fuel === undefined ? {} : { fuel };
      const instance = await source.instantiate(options);
      if (instance instanceof InlineInstance) return instance;
      throw new TypeError("the instance is not of this thread");
    },
    flush,
  };
}

function hasCommands(linked: readonly Module[]): boolean {
  const { commands } = splitCommands(Object.fromEntries(linked.entries()));
  return Object.keys(commands).length > 0;
}

/** What there is to compile. */
interface Compiled {
  readonly main: Uint8Array;
  /** The main module, if it is compiled already. */
  readonly module: Module | undefined;
  /** Takes all of them. */
  readonly all: Module[];
}

/** A runtime that compiles each module once. */
function compiled(runtime: Runtime, { main, module, all }: Compiled): Runtime {
  return {
    name: runtime.name,
    features: runtime.features,
    async compile(source, options) {
      const result = source === main && module !== undefined
        ? module
        : await runtime.compile(source, options);
      all.push(result);
      return result;
    },
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
