/**
 * Functions of the host that a plug-in imports, as it is linked with them.
 *
 * @module
 */

import type {
  HostModule,
  HostModuleFunction,
  ModuleImport,
  Signature,
  WasmResult,
  WasmValue,
} from "../../runtime/types.ts";
import type { MaybePromise } from "../types.ts";
import type { ExtismCall } from "./types.ts";

/** Calls a function of the host. */
export type CallHost = (
  which: Pick<ExtismCall, "namespace" | "name">,
  args: readonly WasmValue[],
) => MaybePromise<WasmResult | void>;

/** What a module of functions is made from. */
export interface UserModuleOptions {
  /** Its name. */
  readonly namespace: string;
  /** Names of the functions that may be imported. */
  readonly names: readonly string[];
  /** What is imported. */
  readonly needed: readonly ModuleImport[];
  /** Calls them. */
  readonly callHost: CallHost;
}

/**
 * Makes a module of those functions that are imported, by the types wanted.
 *
 * @param options The functions.
 * @returns The module; the guest waits for any of them.
 */
export function userModule(
  { namespace, names, needed, callHost }: UserModuleOptions,
): HostModule {
  const signatures: Record<string, Signature> = Object.create(null);
  const functions: Record<string, HostModuleFunction> = Object.create(null);
  for (const { module, name, signature } of needed) {
    if (module !== namespace || signature === undefined) continue;
    const { params, results } = signature;
    if (!names.includes(name) || name in signatures) continue;
    if ([...params, ...results].includes("other")) continue;
    signatures[name] = signature;
    functions[name] = (...args: WasmValue[]) => {
      const result = callHost({ namespace, name }, args);
      return result instanceof Promise
        ? result.then((value) => fitted(value, results))
        : fitted(result, results);
    };
  }
  return Object.freeze({
    name: namespace,
    signatures: Object.freeze(signatures),
    suspending: Object.keys(functions),
    link: () => functions,
  });
}

/** Numbers for integers of 64 bits, where a function gives such. */
function fitted(
  value: WasmResult | void,
  results: Signature["results"],
): WasmResult | void {
  if (results.length === 0) return undefined;
  const fit = (each: WasmValue, type: Signature["results"][number]) =>
    type === "i64" && typeof each === "number" && Number.isSafeInteger(each)
      ? BigInt(each)
      : each;
  if (typeof value !== "object") {
    const [type] = results;
    return value === undefined || type === undefined ? value : fit(value, type);
  }
  return value.map((each, index) => fit(each, results[index] ?? "i32"));
}
