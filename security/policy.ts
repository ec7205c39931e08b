/**
 * What a guest may do: an immutable list of capabilities.
 *
 * @module
 */

import { quote } from "../_text.ts";
import { SandboxError } from "../errors.ts";
import { copyData, sameData } from "./_data.ts";
import { defuse, messageOf } from "./_foreign.ts";
import { Input, isPlainObject } from "./_parse.ts";
import { CapabilityKinds } from "./kinds.ts";
import type {
  Capability,
  CapabilityKind,
  ClockCapability,
  CustomAccessCapability,
  DenoPermissions,
  EnvironmentCapability,
  FilesystemCapability,
  HostFunctionsCapability,
  NetworkCapability,
  ProcessCapability,
  RandomCapability,
  StdioCapability,
} from "./types.ts";

/** The capabilities of the built-in kinds, as a union on `type`. */
export type BuiltInCapability =
  | FilesystemCapability
  | NetworkCapability
  | EnvironmentCapability
  | ClockCapability
  | RandomCapability
  | ProcessCapability
  | StdioCapability
  | HostFunctionsCapability
  | CustomAccessCapability;

/** Most capabilities of one policy. */
const MAX_CAPABILITIES = 1_024;

/**
 * What a guest may do: capabilities, and nothing else. Immutable: every step
 * gives a new policy.
 *
 * Of a type that can be joined there is never more than one: mounts, hosts,
 * variables and functions of all grants are collected, switches are on if one
 * grant has them on. Where two contradict (another clock, another seed, another
 * mount at the same path, another value or limit of the same name), the later
 * is refused with `invalid-capability`. Of `custom_access`, and of a kind that
 * cannot join, several stand side by side, each with counters of its own.
 *
 * @example Usage
 * ```ts
 * import { Capabilities, SecurityPolicy } from "@wasm-sandbox/core";
 * import { assertEquals } from "@std/assert";
 *
 * const policy = SecurityPolicy.strict()
 *   .allowCapability(Capabilities.customAccess(["resource1"], true));
 * const copy = SecurityPolicy.from(JSON.parse(JSON.stringify(policy)));
 * assertEquals(copy.find("custom_access")?.maxOperations, 100);
 * assertEquals(copy.find("network"), undefined);
 * ```
 */
export class SecurityPolicy implements Iterable<Capability> {
  /** What is granted. Frozen. */
  readonly capabilities: readonly Capability[];
  readonly #kinds: CapabilityKinds;

  private constructor(
    capabilities: readonly Capability[],
    kinds: CapabilityKinds,
  ) {
    this.capabilities = Object.freeze([...capabilities]);
    this.#kinds = kinds;
    Object.freeze(this);
  }

  /**
   * A policy that grants nothing.
   *
   * @param kinds The kinds that it knows; the built-in ones, if left out.
   * @returns The policy.
   */
  static strict(
    kinds: CapabilityKinds = new CapabilityKinds(),
  ): SecurityPolicy {
    return new SecurityPolicy([], kinds);
  }

  /**
   * Makes a policy out of anything, for example the `capabilities` of a file.
   *
   * @param input A list of capabilities.
   * @param kinds The kinds that it knows; the built-in ones, if left out.
   * @returns The policy.
   * @throws {SandboxError} With code `invalid-capability`, or `unknown-name` if
   * a type is not known.
   */
  static from(
    input: unknown,
    kinds: CapabilityKinds = new CapabilityKinds(),
  ): SecurityPolicy {
    const items = new Input("", input).list((item) => item.value);
    return items.map((item) => kinds.parse(item)).reduce<SecurityPolicy>(
      (policy, capability) => policy.#with(capability),
      SecurityPolicy.strict(kinds),
    );
  }

  /**
   * Grants more. A capability of a kind that this policy does not know is kept
   * as it is, for the auditor to judge.
   *
   * @param capabilities One, several, or lists of them.
   * @returns A new policy.
   * @throws {SandboxError} With code `invalid-capability`, if one makes no
   * sense or contradicts another.
   */
  allowCapability(
    ...capabilities: readonly (Capability | readonly Capability[])[]
  ): SecurityPolicy {
    return capabilities.flat().reduce<SecurityPolicy>(
      (policy, capability) => policy.#with(policy.#parse(capability)),
      this,
    );
  }

  /**
   * Grants what another policy grants, too.
   *
   * @param other The other policy.
   * @returns A new policy: the union of both.
   * @throws {SandboxError} With code `invalid-capability`, if they contradict.
   */
  merge(other: SecurityPolicy): SecurityPolicy {
    return this.allowCapability(other.capabilities);
  }

  /**
   * The first capability of a type.
   *
   * @param type A built-in type.
   * @returns The capability, if there is one.
   */
  find<T extends BuiltInCapability["type"]>(
    type: T,
  ): Extract<BuiltInCapability, { type: T }> | undefined;
  /**
   * The first capability of a type.
   *
   * @param type Any type.
   * @returns The capability, if there is one.
   */
  find(type: string): Capability | undefined;
  find(type: string): Capability | undefined {
    return this.capabilities.find((capability) => capability.type === type);
  }

  /**
   * Says in plain sentences what is granted, what is not, and what the grants
   * do not protect against.
   *
   * @param kinds The kinds to ask; this policy's own, if left out.
   * @returns One sentence each.
   */
  describe(kinds: CapabilityKinds = this.#kinds): readonly string[] {
    const granted = this.capabilities.flatMap((capability) =>
      kinds.has(capability.type)
        ? kinds.get(capability.type).describe(capability)
        : [`It has ${quote(capability.type)}, which nothing here knows.`]
    );
    const used = [...kinds].filter(({ type }) => this.find(type));
    const missing = [...kinds].filter(({ type }) => !this.find(type))
      .map(({ type }) => type);
    return [
      ...(granted.length > 0 ? granted : ["It may only compute."]),
      ...(missing.length > 0 ? [`Not granted: ${missing.join(", ")}.`] : []),
      ...used.flatMap(({ notProtected }) => notProtected)
        .map((sentence) => `Not protected: ${sentence}`),
    ];
  }

  /**
   * Deno's permissions that lie beneath the grants, each named once.
   *
   * @param kinds The kinds to ask; this policy's own, if left out.
   * @returns The permissions.
   * @throws {SandboxError} With code `unknown-name`, if a type is not known.
   */
  denoPermissions(
    kinds: CapabilityKinds = this.#kinds,
  ): Required<DenoPermissions> {
    const all = this.capabilities.map((capability) =>
      kinds.get(capability.type).denoPermissions(capability)
    );
    const each = (name: keyof DenoPermissions) => [
      ...new Set(all.flatMap((permissions) => permissions[name] ?? [])),
    ];
    return {
      read: each("read"),
      write: each("write"),
      net: each("net"),
      env: each("env"),
    };
  }

  /**
   * The capabilities, as plain data.
   *
   * @returns What {@linkcode SecurityPolicy.from} takes.
   */
  toJSON(): readonly Capability[] {
    return this.capabilities;
  }

  /**
   * Iterates over the capabilities.
   *
   * @returns An iterator over them.
   */
  [Symbol.iterator](): IterableIterator<Capability> {
    return this.capabilities.values();
  }

  #parse(capability: Capability): Capability {
    const data = copyData("", capability);
    if (!isPlainObject(data) || typeof data.type !== "string") {
      throw new Input("", data).error(
        'must be an object with a "type" that is text',
      );
    }
    return this.#kinds.has(data.type)
      ? this.#kinds.parse(data)
      : data as Readonly<Record<string, unknown>> & Capability;
  }

  /** Adds a capability that was parsed: joined, or beside the others. */
  #with(added: Capability): SecurityPolicy {
    const { capabilities } = this;
    if (capabilities.some((each) => sameData(each, added))) return this;
    const kind = this.#kinds.has(added.type)
      ? this.#kinds.get(added.type)
      : undefined;
    const index = kind?.combine === undefined
      ? -1
      : capabilities.findIndex(({ type }) => type === added.type);
    const granted = capabilities[index];
    if (kind !== undefined && granted !== undefined) {
      const joined = this.#kinds.parse(join(kind, granted, added));
      if (joined.type !== added.type) {
        throw new Input(added.type, joined).error("became one of another type");
      }
      return new SecurityPolicy(capabilities.with(index, joined), this.#kinds);
    }
    if (capabilities.length >= MAX_CAPABILITIES) {
      throw new Input(added.type, added).error(
        `is one more than ${MAX_CAPABILITIES}`,
      );
    }
    return new SecurityPolicy([...capabilities, added], this.#kinds);
  }
}

/** Joins two capabilities; a kind that fails is no reason to fail otherwise. */
function join(
  kind: CapabilityKind,
  granted: Capability,
  added: Capability,
): unknown {
  try {
    const joined: unknown = kind.combine?.(granted, added);
    defuse(joined);
    return joined;
  } catch (error) {
    if (SandboxError.is(error)) throw error;
    throw new Input(kind.type, added).error(
      `cannot be joined with another: ${quote(messageOf(error))}`,
      error,
    );
  }
}
