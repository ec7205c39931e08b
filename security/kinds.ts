/**
 * The kinds of capabilities that are known.
 *
 * @module
 */

import { nearest, quote } from "../_text.ts";
import { SandboxError } from "../errors.ts";
import type { RegisterOptions } from "../registry.ts";
import { copyData } from "./_data.ts";
import { defuse, messageOf } from "./_foreign.ts";
import { Input, isPlainObject } from "./_parse.ts";
import { clockKind } from "./clock.ts";
import { customAccessKind } from "./custom_access.ts";
import { environmentKind } from "./environment.ts";
import { filesystemKind } from "./filesystem.ts";
import { hostFunctionsKind } from "./host_functions.ts";
import { networkKind } from "./network.ts";
import { processKind } from "./process.ts";
import { randomKind } from "./random.ts";
import { stdioKind } from "./stdio.ts";
import type { Capability, CapabilityKind } from "./types.ts";

/** A type or an action; no dot, since `type.action` names an operation. */
const NAME = /^[A-Za-z][\w-]{0,63}$/;

const METHODS = ["parse", "permits", "denoPermissions", "describe"] as const;

const OPTIONAL_METHODS = ["operation", "counters", "costs", "combine"] as const;

/**
 * The kinds of capabilities that policies, policy files and auditors know. An
 * instance starts with the built-in ones; a kind of your own is one object and
 * one registration.
 *
 * @example A kind with a counter of its own
 * ```ts
 * import {
 *   type Capability,
 *   type CapabilityKind,
 *   CapabilityKinds,
 *   SandboxError,
 *   SecurityAuditor,
 *   SecurityPolicy,
 * } from "@wasm-sandbox/core";
 * import { assertThrows } from "@std/assert";
 *
 * interface Printing extends Capability {
 *   readonly type: "printing";
 *   readonly maxPages: number;
 * }
 *
 * const printing: CapabilityKind<Printing> = {
 *   type: "printing",
 *   actions: ["print"],
 *   schema: { type: "object", properties: { maxPages: { type: "integer" } } },
 *   notProtected: ["What is on paper cannot be taken back."],
 *   parse: (input) => {
 *     const { maxPages } = input as Partial<Printing>;
 *     if (maxPages === undefined || maxPages < 1) {
 *       throw new TypeError("maxPages must be at least 1");
 *     }
 *     return { type: "printing", maxPages };
 *   },
 *   permits: (_, { resource }) => resource === "office",
 *   counters: ({ maxPages }) => ({ pages: maxPages }),
 *   costs: () => ({ pages: 1 }),
 *   denoPermissions: () => ({}),
 *   describe: ({ maxPages }) => [`It may print ${maxPages} pages.`],
 * };
 *
 * const kinds = new CapabilityKinds().register(printing);
 * const policy = SecurityPolicy.from([{ type: "printing", maxPages: 1 }], kinds);
 * const auditor = new SecurityAuditor(policy, { kinds });
 * auditor.auditOperation("printing.print", ["office"]);
 * assertThrows(
 *   () => auditor.auditOperation("printing.print", ["office"]),
 *   SandboxError,
 *   "printing.pages",
 * );
 * ```
 */
export class CapabilityKinds implements Iterable<CapabilityKind> {
  readonly #kinds: Map<string, CapabilityKind> = new Map();

  /** Constructs a table of the built-in kinds. */
  constructor() {
    this.register(filesystemKind)
      .register(networkKind)
      .register(environmentKind)
      .register(clockKind)
      .register(randomKind)
      .register(processKind)
      .register(stdioKind)
      .register(hostFunctionsKind)
      .register(customAccessKind);
  }

  /**
   * Registers a kind.
   *
   * @typeParam C Shape of its capabilities.
   * @param kind The kind.
   * @param options Whether an existing one may be replaced.
   * @returns This table, to chain.
   * @throws {TypeError} If the kind is not whole, or its type is taken.
   */
  register<C extends Capability>(
    kind: CapabilityKind<C>,
    options: RegisterOptions = {},
  ): this {
    checkKind(kind);
    if (this.#kinds.has(kind.type) && !options.override) {
      throw new TypeError(
        `Cannot register the kind ${quote(kind.type)}: the type is taken ` +
          "(pass { override: true } to replace it)",
      );
    }
    this.#kinds.set(kind.type, kind);
    return this;
  }

  /**
   * Whether a type is known.
   *
   * @param type Any type.
   * @returns Whether there is a kind for it.
   */
  has(type: string): boolean {
    return this.#kinds.has(type);
  }

  /**
   * The kind of a type.
   *
   * @param type The type.
   * @returns Its kind.
   * @throws {SandboxError} With code `unknown-name`.
   */
  get(type: string): CapabilityKind {
    const kind = this.#kinds.get(type);
    if (kind !== undefined) return kind;
    const suggestion = nearest(type, this.#kinds.keys());
    const hint = suggestion === undefined
      ? `known are: ${[...this.#kinds.keys()].map(quote).join(", ")}`
      : `did you mean ${quote(suggestion)}?`;
    throw new SandboxError(
      "unknown-name",
      `Cannot use the capability ${quote(type)}: no such kind is registered ` +
        `(${hint})`,
      {
        details: {
          kind: "capability",
          name: type,
          ...(suggestion === undefined ? {} : { suggestion }),
        },
      },
    );
  }

  /**
   * Makes a capability out of anything, by the kind that its `type` names.
   *
   * @param input Any value.
   * @returns The capability, checked and deeply frozen.
   * @throws {SandboxError} With code `invalid-capability`, or `unknown-name` if
   * the type is not known.
   */
  parse(input: unknown): Capability {
    const data = copyData("", input);
    if (!isCapability(data)) {
      throw new Input("", data).error(
        'must be an object with a "type" that is text',
      );
    }
    const kind = this.get(data.type);
    const parsed = copyData(kind.type, parseWith(kind, data));
    if (isCapability(parsed) && parsed.type === kind.type) return parsed;
    throw new Input(kind.type, parsed).error("became one of another type");
  }

  /**
   * Iterates over the kinds, in order of registration.
   *
   * @returns An iterator over the kinds.
   */
  [Symbol.iterator](): IterableIterator<CapabilityKind> {
    return this.#kinds.values();
  }
}

function checkKind(kind: CapabilityKind): void {
  if (typeof kind !== "object" || kind === null || !isName(kind.type)) {
    throw new TypeError(
      "Cannot register a kind of capability: its type must be a name of " +
        "letters, digits, - and _",
    );
  }
  const missing = METHODS.find((name) => typeof kind[name] !== "function") ??
    OPTIONAL_METHODS.find((name) =>
      !["undefined", "function"].includes(typeof kind[name])
    );
  const problem = missing !== undefined
    ? `${missing} must be a function`
    : !isListOf(kind.actions, isName)
    ? "actions must be a list of names"
    : !isListOf(kind.notProtected, (text) => typeof text === "string")
    ? "notProtected must be a list of sentences"
    : typeof kind.schema !== "object" || kind.schema === null
    ? "schema must be a JSON Schema"
    : undefined;
  if (problem === undefined) return;
  throw new TypeError(
    `Cannot register the kind ${quote(kind.type)}: ${problem}`,
  );
}

function isName(value: unknown): boolean {
  return typeof value === "string" && NAME.test(value);
}

function isListOf(value: unknown, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isItem);
}

function isCapability(value: unknown): value is Capability {
  return isPlainObject(value) && Object.hasOwn(value, "type") &&
    typeof value.type === "string";
}

function parseWith(kind: CapabilityKind, data: Capability): unknown {
  try {
    const parsed: unknown = kind.parse(data);
    defuse(parsed);
    return parsed;
  } catch (error) {
    if (SandboxError.is(error)) throw error;
    throw new Input(kind.type, data).error(
      `was refused by its kind: ${quote(messageOf(error))}`,
      error,
    );
  }
}
