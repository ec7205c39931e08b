/**
 * Functions of the host that a guest imports: found, counted and checked.
 *
 * @module
 */

import type { ImportName } from "@wasm-sandbox/core";
import type {
  GuestAccess,
  HostImports,
  HostModule,
  HostModuleFunction,
  Signature,
  WasmValue,
} from "@wasm-sandbox/core/runtime";
import { HostFailure, LimitReached, notGranted } from "./errors.ts";
import { checkedResult, hasTypes } from "@wasm-sandbox/core/runtime-authors";
import type { Meter } from "./meter.ts";
import type { Slots } from "./slots.ts";
import { type FunctionType, type ImportEntry, signatureOf } from "./types.ts";

/** A function of the host, as one import of the guest. */
interface Imported {
  readonly name: ImportName;
  readonly type: FunctionType;
  readonly signature: Signature;
  readonly fn: HostModuleFunction;
  /** Whether it is a host module's, whose errors are passed on. */
  readonly own: boolean;
  /** Whether it may give a promise. */
  readonly suspends: boolean;
  /** Whether it counts as a call of the host. */
  readonly counts: boolean;
}

/** What the host grants a guest. */
export interface Grants {
  readonly imports: HostImports;
  readonly hostModules: readonly HostModule[];
  readonly access: GuestAccess;
  readonly meter: Meter;
  /** Most calls of the host, if they are limited. */
  readonly hostCalls: number | undefined;
  /** Throws if the instance was let go. */
  readonly requireAlive: () => void;
}

/** The functions that one instance imports. */
export class HostLink {
  readonly #functions: readonly Imported[];
  /** Values of the globals that it imports, in order. */
  readonly constants: readonly WasmValue[];
  readonly #meter: Meter;
  readonly #most: number;
  readonly #requireAlive: () => void;
  /** Whether a guest can wait in the call that runs. */
  canWait = false;
  #calls = 0;

  /**
   * Finds what a module imports.
   *
   * @param needed What it imports.
   * @param grants What the host grants.
   * @throws {SandboxError} With code `import-not-granted`.
   */
  constructor(needed: readonly ImportEntry[], grants: Grants) {
    this.#meter = grants.meter;
    this.#most = grants.hostCalls ?? Infinity;
    this.#requireAlive = grants.requireAlive;
    const functions: Imported[] = [];
    const constants: WasmValue[] = [];
    const missing: ImportName[] = [];
    const linked = linkModules(needed, grants);
    for (const need of needed) {
      const found = linked.has(need.module)
        ? ownFunction(need, linked)
        : granted(need, grants.imports);
      if (found === undefined) {
        const { module, name, kind } = need;
        missing.push({ module, name, kind });
      } else if (typeof found === "object") functions.push(found);
      else constants.push(found);
    }
    if (missing.length > 0) throw notGranted(missing);
    this.#functions = functions;
    this.constants = constants;
  }

  /** Calls of the host so far. */
  get calls(): number {
    return this.#calls;
  }

  /** How many results an import gives. */
  resultCount(index: number): number {
    return this.#functions[index]?.type.results.length ?? 0;
  }

  /**
   * Calls one.
   *
   * @param index The import.
   * @param stack Its arguments, and then its results, are here.
   * @param frame Where they begin.
   * @returns What has to be waited for, if anything.
   * @throws {HostFailure} If it throws, or gives what it must not.
   */
  call(
    index: number,
    stack: Slots,
    frame: number,
  ): PromiseLike<unknown> | undefined {
    const imported = this.#functions[index];
    if (imported === undefined) throw new TypeError("no such import");
    if (imported.counts && ++this.#calls > this.#most) {
      this.#calls--;
      throw new LimitReached("hostCalls");
    }
    this.#meter.checkTime();
    const args = imported.type.params.map((type, place) =>
      stack.read(frame + 2 * place, type)
    );
    let answer: unknown;
    try {
      answer = imported.fn(...args);
    } catch (cause) {
      throw new HostFailure(imported.name, imported.own, cause);
    }
    if (isPromise(answer) && imported.suspends && this.canWait) return answer;
    this.#finish(imported, stack, frame, answer);
    return undefined;
  }

  /** Goes on with what was waited for. */
  answer(index: number, stack: Slots, frame: number, value: unknown): void {
    const imported = this.#functions[index];
    if (imported !== undefined) this.#finish(imported, stack, frame, value);
  }

  /** The error of a function whose promise was rejected. */
  rejected(index: number, cause: unknown): unknown {
    const imported = this.#functions[index];
    return imported === undefined
      ? cause
      : new HostFailure(imported.name, imported.own, cause);
  }

  #finish(
    { name, own, type, signature }: Imported,
    stack: Slots,
    frame: number,
    answer: unknown,
  ): void {
    this.#requireAlive();
    let values: readonly WasmValue[];
    try {
      const result = checkedResult(answer, signature.results);
      values = result === undefined
        ? []
        : typeof result === "object"
        ? result
        : [result];
    } catch (cause) {
      if (isPromise(answer)) answer.then(undefined, () => {});
      throw new HostFailure(name, own, cause);
    }
    type.results.forEach((each, place) =>
      stack.write(frame + 2 * place, each, values[place] ?? 0)
    );
    this.#meter.checkTime();
  }
}

type Linked = ReadonlyMap<
  string,
  {
    readonly module: HostModule;
    readonly functions: Readonly<Record<string, HostModuleFunction>>;
  }
>;

/** Makes the functions of those host modules that are needed. */
function linkModules(
  needed: readonly ImportEntry[],
  { hostModules, access }: Grants,
): Linked {
  const names = new Set(needed.map(({ module }) => module));
  return new Map(
    hostModules.filter(({ name }) => names.has(name)).map((module) =>
      [module.name, { module, functions: module.link(access) }] as const
    ),
  );
}

/** A function of a host module, if the guest imports it as what it is. */
function ownFunction(
  { module: from, name, type }: ImportEntry,
  linked: Linked,
): Imported | undefined {
  const { module, functions = {} } = linked.get(from) ?? {};
  if (module === undefined || type === undefined) return undefined;
  if (!Object.hasOwn(module.signatures, name)) return undefined;
  const expected = module.signatures[name];
  const fn = Object.hasOwn(functions, name) ? functions[name] : undefined;
  const signature = signatureOf(type);
  if (fn === undefined || expected === undefined) return undefined;
  if (!hasTypes(signature, expected.params, expected.results)) return undefined;
  return {
    name: { module: from, name },
    type,
    signature,
    fn,
    own: true,
    suspends: module.suspending?.includes(name) ?? false,
    counts: !module.direct?.includes(name),
  };
}

/** A function of numbers, or a constant, that is granted by its name. */
function granted(
  { module, name, type, global }: ImportEntry,
  imports: HostImports,
): Imported | WasmValue | undefined {
  if (!Object.hasOwn(imports, module)) return undefined;
  const names = imports[module] ?? {};
  const value = Object.hasOwn(names, name) ? names[name] : undefined;
  if (typeof value === "function") {
    if (type === undefined) return undefined;
    const signature = signatureOf(type);
    const { params, results } = signature;
    if ([...params, ...results].includes("other")) return undefined;
    return {
      name: { module, name },
      type,
      signature,
      fn: value,
      own: false,
      suspends: false,
      counts: true,
    };
  }
  if (global === undefined || global.mutable) return undefined;
  const [kind] = signatureOf({ id: 0, params: [], results: [global.type] })
    .results;
  if (kind === "other") return undefined;
  const fits = kind === "i64"
    ? typeof value === "bigint"
    : typeof value === "number";
  return fits ? value : undefined;
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value &&
    typeof value.then === "function";
}
