/**
 * Decides on what guests ask for, and records it.
 *
 * @module
 */

import { SandboxError } from "../errors.ts";
import { eventText } from "./_event_text.ts";
import { defuse, messageOf } from "./_foreign.ts";
import { govern, type Governed } from "./_governed.ts";
import { type CounterUsage, NOT_GRANTED, type Refusal } from "./_grant.ts";
import { translate } from "./_translate.ts";
import { CapabilityKinds } from "./kinds.ts";
import { SecurityPolicy } from "./policy.ts";
import type {
  AuditEvent,
  Auditor,
  AuditSink,
  CapabilityKind,
  LogLevel,
  Operation,
} from "./types.ts";

export type { CounterUsage };

/** Options of {@linkcode SecurityAuditor}. */
export interface SecurityAuditorOptions {
  /**
   * The kinds that decide. They are read once: what is registered later is
   * not known.
   *
   * @default {new CapabilityKinds()}
   */
  readonly kinds?: CapabilityKinds;
  /**
   * Who is told of each decision.
   *
   * @default {[]}
   */
  readonly sinks?: readonly AuditSink[];
  /**
   * Which sandbox it is for, in events.
   *
   * @default {""}
   */
  readonly sandbox?: string;
}

/** What a line of a log is called in its event. */
const LOG_OPERATIONS: Readonly<Record<LogLevel, string>> = Object.freeze({
  trace: "log.trace",
  debug: "log.debug",
  info: "log.info",
  warn: "log.warn",
  error: "log.error",
});

/** Sinks that ask the auditor themselves would go on without an end. */
const MAX_DEPTH = 8;

/**
 * Decides on what guests ask for: what no capability permits is denied. Every
 * decision is one event, and what a capability counts is counted for as long
 * as the auditor lives.
 *
 * @example Usage
 * ```ts
 * import {
 *   Capabilities,
 *   SandboxError,
 *   SecurityAuditor,
 *   SecurityPolicy,
 * } from "@wasm-sandbox/core";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const decisions: string[] = [];
 * const policy = SecurityPolicy.strict()
 *   .allowCapability(Capabilities.customAccess(["resource1"], true));
 * const auditor = new SecurityAuditor(policy, {
 *   sinks: [{ record: ({ decision }) => decisions.push(decision) }],
 * });
 * auditor.auditOperation("custom_read_value", ["resource1"]);
 * assertThrows(
 *   () => auditor.auditOperation("custom_read_value", ["resource10"]),
 *   SandboxError,
 *   "does not cover it",
 * );
 * assertEquals(decisions, ["allowed", "denied"]);
 * assertEquals(auditor.counters(), {
 *   "custom_access.operations": { allowed: 100, used: 1 },
 * });
 * ```
 */
export class SecurityAuditor implements Auditor {
  /** What is granted: the policy, checked by the kinds. */
  readonly policy: SecurityPolicy;
  readonly #kinds: readonly CapabilityKind[];
  /** Made when it is first needed: most guests only compute. */
  #inForce: ReadonlyMap<string, Governed> | undefined;
  readonly #sinks: readonly AuditSink[];
  readonly #sandbox: string;
  #sequence = 0;
  #sinkFailures = 0;
  /** How many events are being told, one within the other. */
  #depth = 0;
  #timeMs = NaN;
  #time = "";

  /**
   * Puts a policy in force.
   *
   * @param policy What is granted.
   * @param options The kinds, and who is told.
   * @throws {SandboxError} With code `unknown-name`, if the policy holds a type
   * that no kind knows, or `invalid-capability`.
   */
  constructor(policy: SecurityPolicy, options: SecurityAuditorOptions = {}) {
    const { kinds = new CapabilityKinds(), sinks = [], sandbox = "" } = options;
    this.policy = SecurityPolicy.from(policy.toJSON(), kinds);
    this.#kinds = [...kinds];
    // what is granted must make sense from the start
    if (this.policy.capabilities.length > 0) this.#inForce = this.#govern();
    this.#sinks = [...sinks];
    this.#sandbox = eventText(sandbox);
  }

  get #governed(): ReadonlyMap<string, Governed> {
    return this.#inForce ??= this.#govern();
  }

  #govern(): ReadonlyMap<string, Governed> {
    return new Map(
      this.#kinds.map((kind) => [kind.type, govern(kind, this.policy)]),
    );
  }

  /** How often a sink threw, or asked so often itself that it was not told. */
  get sinkFailures(): number {
    return this.#sinkFailures;
  }

  /**
   * Decides on an operation, counts it if it is permitted, and records it.
   *
   * @param operation What a guest asks for.
   * @returns Whether it may.
   * @throws {SandboxError} With code `limit-exceeded`, if a counter is used up.
   */
  permits(operation: Operation): boolean {
    const refusal = this.#decide(operation);
    this.#record(operation, refusal);
    if (refusal instanceof SandboxError) throw refusal;
    return refusal === undefined;
  }

  /**
   * As {@linkcode SecurityAuditor.permits}, but what is denied is thrown.
   *
   * @param operation What a guest asks for.
   * @throws {SandboxError} With code `capability-not-granted`, if nothing of
   * the type is granted, `access-denied`, if what is granted does not cover
   * it, or `limit-exceeded`.
   */
  audit(operation: Operation): void {
    const refusal = this.#decide(operation);
    this.#record(operation, refusal);
    if (refusal === undefined) return;
    throw refusal instanceof SandboxError
      ? refusal
      : this.#denial(operation, refusal);
  }

  /**
   * Decides on an operation by name. `type.action` with the resource as first
   * argument works for every kind; kinds may know names of their own, and those
   * that were registered last are asked first.
   *
   * @param operation Name of the operation.
   * @param args Its arguments.
   * @throws {SandboxError} As {@linkcode SecurityAuditor.audit}, and with code
   * `invalid-argument`.
   */
  auditOperation(operation: string, args: readonly unknown[] = []): void {
    const kinds = [...this.#kinds];
    const asked = translate(kinds, operation, args);
    if (asked.failure === undefined) return this.audit(asked.operation);
    const { capability } = asked.operation;
    const isGranted = this.policy.find(capability) !== undefined;
    const reason = isGranted ? messageOf(asked.failure) : NOT_GRANTED;
    this.#record(asked.operation, reason);
    throw isGranted && SandboxError.is(asked.failure, "invalid-argument")
      ? asked.failure
      : this.#denial(asked.operation, reason);
  }

  /**
   * What was used of the limits that capabilities have of their own, such as
   * `custom_access.operations`. Where several capabilities of a type stand side
   * by side, the second is `custom_access[1].operations`.
   *
   * @returns What is allowed and what was used, by name.
   */
  counters(): Record<string, CounterUsage> {
    const all = [...this.#governed.values()].flatMap(({ grants }) =>
      grants.flatMap((grant) => [...grant.counters()])
    );
    return Object.fromEntries(all);
  }

  /**
   * Records that an operation was refused for another reason than the policy's
   * list of capabilities: by the setting of a mount, for example.
   *
   * @param operation What a guest asked for.
   * @param reason Why it was refused.
   */
  refuse(operation: Operation, reason: string): void {
    this.#record(operation, reason);
  }

  /**
   * Records a line of a guest's log, as an event like any other: its text is
   * escaped and clipped, its decision is `"logged"`, its operation `log.info`.
   *
   * @param level How much it matters.
   * @param message The line; any text.
   */
  log(level: LogLevel, message: string): void {
    this.#sequence++;
    if (this.#sinks.length === 0) return;
    this.#publish({
      sequence: this.#sequence,
      time: this.#now(),
      sandbox: this.#sandbox,
      decision: "logged",
      operation: LOG_OPERATIONS[level] ?? LOG_OPERATIONS.info,
      capability: "log",
      resource: eventText(message),
    });
  }

  /**
   * Records a decision that an auditor of the same policy took in another
   * process, as this one's. Nothing is counted.
   *
   * @param decision What was decided.
   */
  relay(decision: Omit<AuditEvent, "sequence" | "sandbox">): void {
    this.#sequence++;
    const { operation, capability, resource, via, reason } = decision;
    this.#publish({
      sequence: this.#sequence,
      time: eventText(decision.time),
      sandbox: this.#sandbox,
      decision: decision.decision,
      operation: eventText(operation),
      capability: eventText(capability),
      resource: eventText(resource),
      ...(via === undefined ? undefined : { via: eventText(via) }),
      ...(reason === undefined ? undefined : { reason: eventText(reason) }),
    });
  }

  #decide(operation: Operation): Refusal {
    const governed = this.#governed.get(operation.capability);
    if (governed === undefined) return "no kind of capability is so called";
    if (!governed.operations.has(operation.action)) {
      return "its kind knows no such action";
    }
    if (typeof operation.resource !== "string") return "it names no resource";
    let refusal: Refusal = NOT_GRANTED;
    for (const grant of governed.grants) {
      const each = grant.take(operation);
      if (each === undefined) return undefined;
      if (!(refusal instanceof SandboxError)) refusal = each;
    }
    return refusal;
  }

  #denial(operation: Operation, reason: string): SandboxError {
    const details = {
      capability: eventText(operation.capability),
      operation: this.#nameOf(operation),
      resource: eventText(operation.resource),
    };
    const what = details.resource === "" ? "" : ` of ${details.resource}`;
    const why = `Cannot allow ${details.operation}${what}: ${reason}`;
    if (reason !== NOT_GRANTED) {
      return new SandboxError("access-denied", why, { details });
    }
    return new SandboxError(
      "capability-not-granted",
      `${why} (add "${details.capability}" to the policy, if it may)`,
      { details },
    );
  }

  #record(operation: Operation, refusal: Refusal): void {
    this.#sequence++;
    if (this.#sinks.length === 0) return;
    const { via } = operation;
    const event: AuditEvent = {
      sequence: this.#sequence,
      time: this.#now(),
      sandbox: this.#sandbox,
      decision: refusal === undefined ? "allowed" : "denied",
      operation: this.#nameOf(operation),
      capability: eventText(operation.capability),
      resource: eventText(operation.resource),
      ...(via === undefined ? undefined : { via: eventText(via) }),
      ...(refusal === undefined ? undefined : { reason: reasonOf(refusal) }),
    };
    this.#publish(event);
  }

  #publish(event: AuditEvent): void {
    Object.freeze(event);
    if (this.#depth >= MAX_DEPTH) {
      this.#sinkFailures++;
      return;
    }
    this.#depth++;
    for (const sink of this.#sinks) this.#tell(sink, event);
    this.#depth--;
  }

  #tell(sink: AuditSink, event: AuditEvent): void {
    const failed = () => {
      this.#sinkFailures++;
    };
    try {
      defuse(sink.record(event), failed);
    } catch {
      failed();
    }
  }

  /** Makes the text of a time only once for all events of a millisecond. */
  #now(): string {
    const timeMs = Date.now();
    if (timeMs !== this.#timeMs) {
      this.#timeMs = timeMs;
      this.#time = new Date(timeMs).toISOString();
    }
    return this.#time;
  }

  #nameOf({ capability, action }: Operation): string {
    const known = this.#governed.get(capability)?.operations.get(action);
    if (known !== undefined) return known;
    const type = eventText(capability);
    return eventText(
      type === "" ? eventText(action) : `${type}.${eventText(action)}`,
    );
  }
}

function reasonOf(refusal: Exclude<Refusal, undefined>): string {
  return typeof refusal === "string" ? refusal : eventText(refusal.message);
}
