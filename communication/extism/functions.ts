/**
 * Functions of the host that plug-ins import, on the host's side.
 *
 * @module
 */

import type { WasmResult } from "../../runtime/types.ts";
import type { MaybePromise } from "../types.ts";
import { CallContext } from "./call_context.ts";
import {
  EXTISM_MODULE,
  type ExtismCall,
  type ExtismFunction,
  type ExtismFunctions,
  type ExtismOptions,
  type ExtismService,
} from "./types.ts";

/**
 * What the host is told by calls that no plug-in can make: that it set no
 * output, and what it wrote to a standard stream, which is the block 1.
 */
export const NOTES: Readonly<
  Record<
    "noOutput" | "stdout" | "stderr",
    Pick<ExtismCall, "namespace" | "name">
  >
> = Object.freeze({
  noOutput: { namespace: "", name: "no_output" },
  stdout: { namespace: "", name: "stdout" },
  stderr: { namespace: "", name: "stderr" },
});

/** The block that a note on output is about. */
export const NOTED_BLOCK = 1n;

/**
 * Functions by the module that they are imported from, and their name, and
 * whether the plug-in has to wait for them.
 */
export type FunctionNames = Readonly<
  Record<string, Readonly<Record<string, "sync" | "async">>>
>;

const AsyncFunction = (async () => {}).constructor;

/**
 * The names of functions, which a process is told.
 *
 * @param functions The functions.
 * @returns Their names.
 * @throws {TypeError} If one of them is no function.
 */
export function functionNames(functions: ExtismFunctions = {}): FunctionNames {
  const names: Record<string, Record<string, "sync" | "async">> = Object
    .create(null);
  for (const [namespace, members] of Object.entries(functions)) {
    if (namespace === NOTES.noOutput.namespace || namespace === EXTISM_MODULE) {
      throw new TypeError(
        `Cannot give plug-ins functions of ${JSON.stringify(namespace)}: the ` +
          "module is the host's own (take another name)",
      );
    }
    const known: Record<string, "sync" | "async"> = Object.create(null);
    for (const [name, member] of Object.entries(members)) {
      if (typeof member === "function") {
        known[name] = isAsync(member) ? "async" : "sync";
        continue;
      }
      throw new TypeError(
        `Cannot give plug-ins ${JSON.stringify(namespace)}.` +
          `${JSON.stringify(name)}: it is no function`,
      );
    }
    names[namespace] = known;
  }
  return names;
}

/**
 * Whether a function is written as an `async` one. A plug-in can wait for no
 * other: what makes it able to costs each of its calls.
 *
 * @param fn The function.
 * @returns Whether it is.
 */
export function isAsync(fn: ExtismFunction): boolean {
  return fn instanceof AsyncFunction;
}

/**
 * Makes what answers plug-ins that call functions of the host.
 *
 * @param options The functions, and what their contexts show.
 * @param askFor Decides whether a function may be called, by `module.name`, and
 * throws if not; every one may, if left out.
 * @returns It, as `GuestServices.extism` has it.
 */
export function extismService(
  options: ExtismOptions,
  askFor?: (name: string) => void,
): ExtismService {
  const { functions = {}, config = {}, hostContext } = options;
  // read once: the caller may change what it gave
  const table = tableOf(functions);
  const values = Object.freeze({ ...config });
  return (call) => {
    const { namespace, name, args } = call;
    if (namespace === NOTES.noOutput.namespace) return note(call, options);
    const fn = table.get(namespace)?.get(name);
    if (fn === undefined) {
      throw new TypeError(
        `Cannot call ${JSON.stringify(namespace)}.${JSON.stringify(name)}: ` +
          "there is no such function",
      );
    }
    askFor?.(`${namespace}.${name}`);
    const context = new CallContext(call, {
      config: values,
      hostContext: hostContext?.(),
    });
    return closing(context, () => fn(context, ...args));
  };
}

function note(
  { name, memory }: ExtismCall,
  { onNoOutput, onWasiOutput, enableWasiOutput = false }: ExtismOptions,
): void {
  if (name === NOTES.noOutput.name) onNoOutput?.();
  // a process may say anything
  if (!enableWasiOutput || name !== "stdout" && name !== "stderr") return;
  onWasiOutput?.(name, memory.read(NOTED_BLOCK) ?? new Uint8Array());
}

type Table = ReadonlyMap<string, ReadonlyMap<string, ExtismFunction>>;

function tableOf(functions: ExtismFunctions): Table {
  return new Map(
    Object.entries(functions).map(([namespace, members]) => [
      namespace,
      new Map(Object.entries(members)),
    ]),
  );
}

/** Ends a context when its function has returned, however. */
function closing(
  context: CallContext,
  run: () => MaybePromise<WasmResult | void>,
): MaybePromise<WasmResult | void> {
  let result: MaybePromise<WasmResult | void>;
  try {
    result = run();
  } catch (error) {
    context.close();
    throw error;
  }
  if (result instanceof Promise) return result.finally(() => context.close());
  context.close();
  return result;
}
