/**
 * Linked modules that are commands of WASI: they export `_start`. Each call of
 * one gets an instance of its own, which is gone when it returns, as the Rust
 * SDK has it.
 *
 * @module
 */

import { quote } from "../../_text.ts";
import type {
  HostModule,
  HostModuleFunction,
  Instance,
  Module,
  Signature,
  WasmResult,
  WasmValue,
} from "../../runtime/types.ts";
import { SandboxError } from "../../errors.ts";
import { initializersOf } from "./initializers.ts";

/** Linked modules, apart. */
export interface SplitModules {
  /** Those that are commands, by name. */
  readonly commands: Readonly<Record<string, Module>>;
  /** The others, by name. */
  readonly libraries: Readonly<Record<string, Module>>;
}

/** Export that makes a module a command. */
const START = "_start";

/**
 * Tells commands from other modules.
 *
 * @param linked Linked modules, by name.
 * @returns Both kinds.
 */
export function splitCommands(
  linked: Readonly<Record<string, Module>>,
): SplitModules {
  const commands: Record<string, Module> = Object.create(null);
  const libraries: Record<string, Module> = Object.create(null);
  for (const [name, module] of Object.entries(linked)) {
    const isCommand = module.exports.some((each) =>
      each.name === START && each.kind === "function"
    );
    (isCommand ? commands : libraries)[name] = module;
  }
  return { commands, libraries };
}

/** What commands are run with. */
export interface CommandHostOptions {
  /** The commands, by name. */
  readonly commands: Readonly<Record<string, Module>>;
  /** Makes an instance, with all that the main module is linked with. */
  readonly instantiate: (module: Module) => Promise<Instance>;
  /** Time that is left for the call that runs. */
  readonly remainingMs: () => number;
  /** Whether fuel is counted, which instances of commands would not share. */
  readonly hasFuel: boolean;
}

/** Most commands that wait for each other. */
const MAX_DEPTH = 8;

/**
 * Makes what others import of commands.
 *
 * @param options The commands, and how they are run.
 * @returns A host module for each; the guest waits for its functions.
 * @throws {SandboxError} With code `unsupported`, if fuel is counted.
 */
export function commandHosts(options: CommandHostOptions): HostModule[] {
  const [first] = Object.keys(options.commands);
  if (first !== undefined && options.hasFuel) throw noFuel(first);
  const depth = { now: 0 };
  return Object.entries(options.commands).map(([name, module]) => {
    const signatures: Record<string, Signature> = Object.create(null);
    const functions: Record<string, HostModuleFunction> = Object.create(null);
    for (const { name: fn, kind, signature } of module.exports) {
      if (kind !== "function" || signature === undefined) continue;
      if ([...signature.params, ...signature.results].includes("other")) {
        continue;
      }
      signatures[fn] = signature;
      functions[fn] = async (...args: WasmValue[]) => {
        if (depth.now >= MAX_DEPTH) throw tooDeep(name);
        depth.now++;
        try {
          return await run(module, fn, args, options);
        } finally {
          depth.now--;
        }
      };
    }
    return Object.freeze({
      name,
      signatures: Object.freeze(signatures),
      suspending: Object.keys(functions),
      link: () => functions,
    });
  });
}

async function run(
  module: Module,
  name: string,
  args: readonly WasmValue[],
  { instantiate, remainingMs }: CommandHostOptions,
): Promise<WasmResult> {
  await using instance = await instantiate(module);
  const options = () => {
    const timeoutMs = remainingMs();
    // without a deadline of its own a guest has none that could be shorter
    return timeoutMs === Infinity ? {} : { timeoutMs };
  };
  for (const first of initializersOf(module.exports)) {
    await instance.call(first.name, first.args, options());
  }
  return await instance.call(name, args, options());
}

function tooDeep(name: string): SandboxError<"limit-exceeded"> {
  const suggestion = "do not let commands import each other";
  return new SandboxError(
    "limit-exceeded",
    `Cannot run the linked command ${
      quote(name)
    }: ${MAX_DEPTH} wait for each ` +
      `other (${suggestion})`,
    {
      details: {
        limit: "instances",
        allowed: MAX_DEPTH,
        used: MAX_DEPTH + 1,
        suggestion,
      },
    },
  );
}

function noFuel(name: string): SandboxError<"unsupported"> {
  return new SandboxError(
    "unsupported",
    `Cannot link the command ${
      quote(name)
    } with a limit of fuel: each of its ` +
      "calls has an instance of its own (leave fuel out, or build it without " +
      `"${START}")`,
    { details: { runtime: "v8", feature: "fuel with a linked command" } },
  );
}
