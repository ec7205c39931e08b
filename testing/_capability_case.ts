/** What the cases of the suite for kinds of capabilities are, and work on. */

import { SandboxError } from "../errors.ts";
import { isPlainObject } from "../security/_parse.ts";
import { CapabilityKinds } from "../security/kinds.ts";
import type {
  Capability,
  CapabilityKind,
  Operation,
} from "../security/types.ts";

/** An operation of the kind under test. */
export interface CapabilitySuiteOperation {
  /** One of the kind's actions. */
  readonly action: string;
  /**
   * What it is done to.
   *
   * @default {""}
   */
  readonly resource?: string;
  /** By which function the guest asks. */
  readonly via?: string;
}

/** A grant, and what it means. */
export interface CapabilitySuiteExample {
  /** The capability as in a policy file, without its `type`. */
  readonly grant: object;
  /**
   * What it permits. Each resource stands at the edge of what is granted: one
   * that is a character longer or shorter must not be permitted.
   */
  readonly permits: readonly CapabilitySuiteOperation[];
  /**
   * What it does not permit.
   *
   * @default {[]}
   */
  readonly denies?: readonly CapabilitySuiteOperation[];
}

/** An example, parsed. */
export interface ParsedExample {
  readonly input: Readonly<Record<string, unknown>>;
  readonly capability: Capability;
  readonly permits: readonly Operation[];
  readonly denies: readonly Operation[];
}

/** A kind under test. */
export class KindSubject {
  readonly kind: CapabilityKind;
  readonly #examples: readonly CapabilitySuiteExample[];

  constructor(
    kind: CapabilityKind,
    examples: readonly CapabilitySuiteExample[],
  ) {
    this.kind = kind;
    this.#examples = examples;
  }

  /** A table in which it is. */
  get kinds(): CapabilityKinds {
    return new CapabilityKinds().register(this.kind, { override: true });
  }

  /** The examples; anew each time, since a case may spoil them. */
  examples(): readonly ParsedExample[] {
    return this.#examples.map(({ grant, permits, denies = [] }) => {
      const input = { type: this.kind.type, ...structuredClone(grant) };
      return {
        input,
        capability: this.kind.parse(structuredClone(input)),
        permits: permits.map((each) => this.operation(each)),
        denies: denies.map((each) => this.operation(each)),
      };
    });
  }

  /** An operation of this kind. */
  operation(
    { action, resource = "", via }: CapabilitySuiteOperation,
  ): Operation {
    const { type: capability } = this.kind;
    return {
      capability,
      action,
      resource,
      ...(via === undefined ? {} : { via }),
    };
  }

  /** Decides, and fails unless the answer is plain. */
  permits(capability: Capability, operation: Operation): boolean {
    const answer: unknown = this.kind.permits(capability, operation);
    check(
      typeof answer === "boolean",
      `permits answered ${shown(answer)} to ${shown(operation)}`,
    );
    return answer;
  }

  /** Parses: a capability that is sound, or nothing if it is refused. */
  parse(input: unknown, what: string): Capability | undefined {
    let parsed: unknown;
    try {
      parsed = this.kind.parse(input);
    } catch (error) {
      check(
        SandboxError.is(error, "invalid-capability"),
        `parse threw ${shown(error)}, and no SandboxError ` +
          `"invalid-capability", for ${what}`,
      );
      return undefined;
    }
    check(
      isPlainObject(parsed) && parsed.type === this.kind.type,
      `parse gave no capability of its type for ${what}`,
    );
    checkData(parsed, `what parse gave for ${what}`);
    return parsed as Readonly<Record<string, unknown>> & Capability;
  }
}

/** Something that every kind does. */
export interface CapabilityCase {
  readonly name: string;
  /** Fails if it does not hold. */
  run(subject: KindSubject): void;
}

/** Fails unless it holds. */
export function check(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`The kind does not conform: ${what}`);
}

/** Fails unless it is plain data that is frozen all through. */
export function checkData(value: unknown, what: string): void {
  if (typeof value !== "object" || value === null) {
    const isData = value === null || typeof value === "string" ||
      typeof value === "boolean" || Number.isFinite(value);
    return check(isData, `${what} holds ${shown(value)}, which JSON cannot`);
  }
  check(
    Array.isArray(value) || isPlainObject(value),
    `${what} holds an object that is not plain`,
  );
  check(Object.isFrozen(value), `${what} is not frozen: ${shown(value)}`);
  for (const each of Object.values(value)) checkData(each, what);
}

/** A value for a message. */
export function shown(value: unknown): string {
  const text = value instanceof Error
    ? `${value.name}: ${value.message}`
    : Deno.inspect(value, { breakLength: Infinity });
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
