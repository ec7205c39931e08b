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

/** Calls a function of the host. */
export type CallHost = (
  namespace: string,
  name: string,
  args: readonly WasmValue[],
) => MaybePromise<WasmResult | void>;

/** What a module of functions is made from. */
export interface UserModuleOptions {
  /** Its name. */
  readonly namespace: string;
  /** The functions that may be imported, and whether they have to be waited for. */
  readonly names: Readonly<Record<string, "sync" | "async">>;
  /** What is imported. */
  readonly needed: readonly ModuleImport[];
  /** Calls them. */
  readonly callHost: CallHost;
}

/**
 * Makes a module of those functions that are imported, by the types wanted.
 *
 * @param options The functions.
 * @returns The module; the guest waits for those that are asynchronous.
 */
export function userModule(
  { namespace, names, needed, callHost }: UserModuleOptions,
): HostModule {
  const signatures: Record<string, Signature> = Object.create(null);
  const functions: Record<string, HostModuleFunction> = Object.create(null);
  for (const { module, name, signature } of needed) {
    if (module !== namespace || signature === undefined) continue;
    const { params, results } = signature;
    if (!Object.hasOwn(names, name) || name in signatures) continue;
    if ([...params, ...results].includes("other")) continue;
    signatures[name] = signature;
    functions[name] = (...args: WasmValue[]) => {
      const result = callHost(namespace, name, args);
      if (!(result instanceof Promise)) return fitted(result, results);
      if (names[name] === "async") {
        return result.then((value) => fitted(value, results));
      }
      result.catch(() => {});
      throw new TypeError(
        "it gave a promise, and is not written as an async function",
      );
    };
  }
  return Object.freeze({
    name: namespace,
    signatures: Object.freeze(signatures),
    suspending: Object.keys(functions).filter((name) =>
      names[name] === "async"
    ),
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
