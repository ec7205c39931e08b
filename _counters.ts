/** What stands before host functions: the policy, and limits of their own. */

import { quote } from "./_text.ts";
import { SandboxError } from "./errors.ts";
import type { CountedFunction, CountedOptions } from "./runtime/counted.ts";
import type { HostFunction, HostImports } from "./runtime/types.ts";
import type { LimitUsage } from "./sandbox_options.ts";

/** A counter in force. */
interface Counter {
  readonly name: string;
  readonly allowed: number;
  used: number;
}

/** Throws unless a host function, `module.name`, may be called. */
export type AskFor = (name: string) => void;

/** The counters of one sandbox's host functions. */
export class HostCounters {
  /** The imports, each function behind what it must pass. */
  readonly imports: HostImports;
  readonly #counters: Counter[] = [];
  /** What functions were stopped with. */
  readonly #refusals = new WeakSet<Error>();

  constructor(imports: HostImports, askFor?: AskFor) {
    const wrap = (module: string, name: string, value: unknown) => {
      const full = `${module}.${name}`;
      const fn = isCounted(value) ? this.#count(full, value) : value;
      return askFor === undefined || typeof fn !== "function"
        ? fn
        : this.#govern(full, fn as HostFunction, askFor);
    };
    this.imports = mapImports(imports, wrap);
  }

  /** What was used of each. */
  usage(): Record<string, Required<LimitUsage>> {
    return Object.fromEntries(
      this.#counters.map((
        { name, allowed, used },
      ) => [name, { allowed, used }]),
    );
  }

  /** Notes what a function is stopped with. */
  refuse(refusal: Error): never {
    this.#refusals.add(refusal);
    throw refusal;
  }

  /** Whether an error is one that something was refused with. */
  hasRefused(error: unknown): boolean {
    return error instanceof Error && this.#refusals.has(error);
  }

  /** The error to tell of a call: what was refused goes before its wrapping. */
  explain(error: unknown): unknown {
    if (!SandboxError.is(error, "host-function-failed")) return error;
    const { cause } = error;
    return this.hasRefused(cause) ? cause : error;
  }

  #govern(name: string, fn: HostFunction, askFor: AskFor): HostFunction {
    return (...args) => {
      try {
        askFor(name);
      } catch (error) {
        if (error instanceof Error) this.refuse(error);
        throw error;
      }
      return fn(...args);
    };
  }

  #count(prefix: string, fn: CountedFunction): HostFunction {
    const { counted } = fn;
    const counters = Object.entries(counted.counters).map(
      ([name, allowed]): Counter => ({
        name: `${prefix}.${name}`,
        allowed,
        used: 0,
      }),
    );
    this.#counters.push(...counters);
    return (...args) => {
      this.#charge(prefix, counters, costsOf(counted, args));
      return fn(...args);
    };
  }

  /** Takes all or nothing. */
  #charge(
    prefix: string,
    counters: readonly Counter[],
    costs: Readonly<Record<string, number>>,
  ): void {
    const amounts = counters.map(({ name }) =>
      amountOf(name, costs[name.slice(prefix.length + 1)] ?? 0)
    );
    counters.forEach((counter, index) => {
      const used = counter.used + (amounts[index] ?? 0);
      if (used > counter.allowed) this.refuse(exceeded(counter, used));
    });
    counters.forEach((counter, index) => {
      counter.used += amounts[index] ?? 0;
    });
  }
}

function isCounted(value: unknown): value is CountedFunction {
  return typeof value === "function" && "counted" in value;
}

function costsOf(
  { counters, costs }: CountedOptions,
  args: readonly unknown[],
): Readonly<Record<string, number>> {
  return costs?.(...args) ??
    Object.fromEntries(Object.keys(counters).map((name) => [name, 1]));
}

function amountOf(name: string, amount: number): number {
  if (Number.isSafeInteger(amount) && amount >= 0) return amount;
  throw new TypeError(
    `Cannot count ${quote(name)}: a call costs ${
      String(amount)
    }, which is no ` +
      "whole number from 0",
  );
}

function exceeded(
  { name, allowed }: Counter,
  used: number,
): SandboxError<"limit-exceeded"> {
  const suggestion = `raise the counter ${name}`;
  return new SandboxError(
    "limit-exceeded",
    `Cannot go on: the guest used more than ${allowed} of ${quote(name)} ` +
      `(${suggestion})`,
    { details: { limit: name, allowed, used, suggestion } },
  );
}

function mapImports(
  imports: HostImports,
  map: (module: string, name: string, value: unknown) => unknown,
): HostImports {
  const all = Object.entries(imports).map(([module, namespace]) => [
    module,
    Object.fromEntries(
      Object.entries(namespace).map(([name, value]) => [
        name,
        map(module, name, value),
      ]),
    ),
  ]);
  return Object.fromEntries(all);
}
