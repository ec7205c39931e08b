/**
 * A wrapper of somebody else's: formulas of users, worked out by a guest. A
 * formula cannot do more than cost its time, and what it costs is bounded.
 *
 * Everything that makes it a wrapper is here: its options with their schema, its
 * class, its kind, and the line that registers it. From then on `formula:` is a
 * section of manifests, as in formula.yaml.
 *
 * @module
 */

import { SandboxError } from "../../errors.ts";
import type { OperationOptions } from "../../runtime/types.ts";
import type { JsonSchema } from "../../security/json_schema.ts";
import { CustomWrapper } from "../../wrappers/custom_wrapper.ts";
import {
  checkWrapperOptions,
  GUEST_PROPERTIES,
  type GuestOptions,
  guestOptionsOf,
  type Wrapper,
  WrapperFactory,
  type WrapperKind,
} from "../../wrappers/mod.ts";

/** Options of {@linkcode Formula.create}. */
export interface FormulaOptions extends GuestOptions {
  /**
   * Most formulas that are worked out at a time.
   *
   * @default {2}
   */
  readonly maxConcurrent?: number;
  /**
   * Longest formula, in UTF-16 units.
   *
   * @default {1_000}
   */
  readonly maxLength?: number;
}

const SCHEMA: JsonSchema = {
  description: "Works out formulas of users.",
  type: "object",
  properties: {
    ...GUEST_PROPERTIES,
    maxConcurrent: {
      description: "Most formulas that are worked out at a time.",
      type: "integer",
      minimum: 1,
      maximum: 64,
      default: 2,
    },
    maxLength: {
      description: "Longest formula, in UTF-16 units.",
      type: "integer",
      minimum: 1,
      maximum: 100_000,
      default: 1_000,
    },
  },
  required: ["module"],
  additionalProperties: false,
};

/** Works out formulas such as `price * (1 + vat)`. */
export class Formula implements Wrapper {
  readonly wrapperType = "formula";
  readonly #guests: CustomWrapper;
  readonly #maxLength: number;

  private constructor(guests: CustomWrapper, maxLength: number) {
    this.#guests = guests;
    this.#maxLength = maxLength;
  }

  /** Makes one, with its first guest. */
  static async create(
    given: FormulaOptions,
    operation?: OperationOptions,
  ): Promise<Formula> {
    const options = { ...given };
    checkWrapperOptions("formula", options, SCHEMA);
    const { maxConcurrent = 2, maxLength = 1_000 } = options;
    const guests = await CustomWrapper.create({
      limits: { timeoutMs: 100, memoryBytes: 2 ** 20 },
      ...guestOptionsOf(options),
      entryPoint: "process",
      maxConcurrentRequests: maxConcurrent,
    }, operation);
    return new Formula(guests, maxLength);
  }

  /** Works out a formula; a `SyntaxError` tells what is wrong with it. */
  async evaluate(
    formula: string,
    values: Readonly<Record<string, number>> = {},
    options: OperationOptions = {},
  ): Promise<number> {
    if (formula.length > this.#maxLength) {
      throw new RangeError(`Cannot use a formula of ${formula.length} units`);
    }
    const request = { data: formula, values };
    const reply = await this.#guests.processRequest(request, options);
    // a guest may say anything
    const { result, error } = Object(reply) as Record<string, unknown>;
    if (typeof error === "string") throw new SyntaxError(error);
    const number = typeof result === "string" ? Number(result) : NaN;
    if (Number.isFinite(number)) return number;
    throw new SandboxError("guest-protocol", "Cannot use the guest's answer", {
      details: { export: "process", problem: "it is no number" },
    });
  }

  /** Lets the guests go. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#guests[Symbol.asyncDispose]();
  }
}

/** The kind of wrapper that works out formulas. */
export const FORMULA: WrapperKind<FormulaOptions> = {
  type: "formula",
  description: "Works out formulas of users.",
  schema: SCHEMA,
  create: (options, operation) => Formula.create(options, operation),
};

/** The built-in kinds of wrappers, and this one. */
export function wrappersWithFormula(): WrapperFactory {
  return new WrapperFactory().register("formula", () => FORMULA as WrapperKind);
}
