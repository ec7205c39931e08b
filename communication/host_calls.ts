/**
 * Calls of the host's functions: what stands before and after them.
 *
 * @module
 */

import { SandboxError } from "../errors.ts";
import type { ResolvedLimits } from "../security/limits.ts";
import type { Operation as AuditedOperation } from "../security/types.ts";
import { type CallScope, Operation } from "./call_scope.ts";
import { GuestFault } from "./fault.ts";
import {
  counterOf,
  denied,
  functionFailed,
  isFault,
  isSandboxError,
  tooManyCalls,
} from "./host_errors.ts";
import type {
  HostFunctionContext,
  HostFunctionDefinition,
} from "./host_functions.ts";
import {
  bytesOf,
  chain,
  invalidInput,
  invalidOutput,
  isThenable,
  parse,
  validated,
  whole,
} from "./host_values.ts";
import { stringifyJson } from "./json.ts";
import { SmallBytes } from "./small_bytes.ts";
import type { LogLevel, MaybePromise } from "./types.ts";

/** Who decides and records; `SecurityAuditor` does. */
export interface ServiceAuditor {
  /** What is granted. */
  readonly policy: { find(type: "host_functions"): unknown };
  /** Decides on an operation; what is denied is thrown. */
  audit(operation: AuditedOperation): void;
  /** Decides on an operation by name; what is denied is thrown. */
  auditOperation(operation: string, args?: readonly unknown[]): void;
  /** Records a line of a guest's log. */
  log(level: LogLevel, message: string): void;
}

/** What functions of the host are called with. */
export interface HostCallsOptions {
  /** The functions by name. */
  readonly functions: ReadonlyMap<string, HostFunctionDefinition>;
  /** A function of the package's own, which keeps its own rules. */
  readonly builtIn?: HostFunctionDefinition | undefined;
  /** Decides, and records. */
  readonly auditor: ServiceAuditor;
  /** The limits, of which `messageBytes` matters here. */
  readonly limits: Pick<ResolvedLimits, "messageBytes">;
  /** Whether an error is one that the policy or a counter refused with. */
  readonly isRefusal?: ((error: unknown) => boolean) | undefined;
  /** Told of what the guest is not told of. */
  readonly onHostFunctionError?:
    | ((error: SandboxError<"host-function-failed">) => void)
    | undefined;
}

type Bytes = Uint8Array<ArrayBuffer>;

/** Calls the host's functions for the guests of one sandbox. */
export class HostCalls {
  readonly #options: HostCallsOptions;
  /** Whether the policy names the functions that may be called. */
  readonly #isGoverned: boolean;
  readonly #small = new SmallBytes();
  readonly #used = new Map<string, number>();
  /** What the policy refused with, so that functions can let it through. */
  readonly #refusals = new WeakSet<SandboxError>();

  /**
   * Constructs it.
   *
   * @param options The functions, and who decides.
   */
  constructor(options: HostCallsOptions) {
    this.#options = options;
    const { policy } = options.auditor;
    this.#isGoverned = policy.find("host_functions") !== undefined;
  }

  /**
   * Calls a function.
   *
   * @param name Its name; the guest's text.
   * @param input Its input; the guest's bytes.
   * @param scope The call during which the guest asks.
   * @returns The answer.
   * @throws {GuestFault} For the guest.
   * @throws {SandboxError} With code `limit-exceeded`; it ends the guest.
   */
  call(name: string, input: Bytes, scope: CallScope): MaybePromise<Bytes> {
    const definition = this.#find(name);
    this.#checkSize("input", input);
    const context = new Context(name, this);
    let outcome: MaybePromise<Bytes>;
    try {
      outcome = this.#run(definition, input, context);
      if (!(outcome instanceof Promise)) return outcome;
    } catch (error) {
      throw this.#told(definition, error);
    }
    const { timeoutMs } = definition;
    return scope.wait(context.operation, outcome, timeoutMs).catch((error) => {
      throw this.#told(definition, error);
    });
  }

  /**
   * What was used of each `maxCalls`.
   *
   * @returns What is allowed and what was used, by name.
   */
  usage(): Record<string, { readonly allowed: number; readonly used: number }> {
    const rows = Array.from(this.#options.functions.values())
      .filter(({ maxCalls }) => maxCalls !== Infinity)
      .map(({ name, maxCalls: allowed }) =>
        [counterOf(name), { allowed, used: this.#used.get(name) ?? 0 }] as const
      );
    return Object.fromEntries(rows);
  }

  /** Asks the policy for a function of the host. */
  audit(operation: string, args?: readonly unknown[]): void {
    try {
      this.#options.auditor.auditOperation(operation, args);
    } catch (error) {
      if (SandboxError.is(error)) this.#refusals.add(error);
      throw error;
    }
  }

  /**
   * Makes of an error what the guest is told, and tells the host of the rest.
   *
   * @param name What failed, as an import of the ABI's module.
   * @param error What was thrown.
   * @returns The fault.
   */
  fail(name: string, error: unknown): GuestFault {
    const { onHostFunctionError } = this.#options;
    const fault = new GuestFault("failed", "the host function failed");
    if (onHostFunctionError === undefined) return fault;
    try {
      const told: unknown = onHostFunctionError(functionFailed(name, error));
      if (told instanceof Promise) told.catch(() => {});
    } catch {
      // the host's own report must not hurt the guest's other calls
    }
    return fault;
  }

  #find(name: string): HostFunctionDefinition {
    const { builtIn, functions, auditor } = this.#options;
    if (builtIn?.name === name) return builtIn;
    if (this.#isGoverned) {
      try {
        const capability = "host_functions";
        auditor.audit({ capability, action: "call", resource: name });
      } catch (error) {
        throw denied(error);
      }
    }
    const definition = functions.get(name);
    if (definition === undefined) {
      throw new GuestFault("unknown", "the host has no function of this name");
    }
    if (definition.maxCalls !== Infinity) this.#count(definition);
    return definition;
  }

  #count({ name, maxCalls: allowed }: HostFunctionDefinition): void {
    const used = (this.#used.get(name) ?? 0) + 1;
    if (used > allowed) throw tooManyCalls(name, allowed, used);
    this.#used.set(name, used);
  }

  #run(
    definition: HostFunctionDefinition,
    bytes: Bytes,
    context: Context,
  ): MaybePromise<Bytes> {
    const value = definition.codec === "json" ? parse(bytes) : whole(bytes);
    if (definition.input === undefined) {
      return this.#handle(definition, value, context);
    }
    return chain(
      validated(definition.input, value, invalidInput),
      (input) => {
        context.check();
        return this.#handle(definition, input, context);
      },
    );
  }

  #handle(
    definition: HostFunctionDefinition,
    input: unknown,
    context: Context,
  ): MaybePromise<Bytes> {
    const { capability, handler } = definition;
    if (capability !== undefined) {
      const { operation, args } = capability(input);
      this.audit(operation, args);
    }
    const answer = handler(input, context);
    return isThenable(answer)
      ? Promise.resolve(answer).then((value) => this.#finish(definition, value))
      : this.#finish(definition, answer);
  }

  #finish(
    definition: HostFunctionDefinition,
    answer: unknown,
  ): MaybePromise<Bytes> {
    if (definition.output === undefined) {
      return this.#encode(definition, answer);
    }
    return chain(
      validated(definition.output, answer, invalidOutput),
      (value) => this.#encode(definition, value),
    );
  }

  #encode({ codec }: HostFunctionDefinition, answer: unknown): Bytes {
    const bytes = codec === "json"
      ? this.#small.encode(stringifyJson(answer, "the answer"))
      : bytesOf(answer);
    this.#checkSize("answer", bytes);
    return bytes;
  }

  #checkSize(what: string, { length }: Uint8Array): void {
    const { messageBytes } = this.#options.limits;
    if (length <= messageBytes) return;
    throw new GuestFault(
      "too-large",
      `the ${what} is longer than messageBytes`,
    );
  }

  /** What ends the guest, or what it is told. */
  #told(definition: HostFunctionDefinition, error: unknown): Error {
    if (isFault(error)) return error;
    if (isSandboxError(error) && this.#isRefusal(definition, error)) {
      return denied(error);
    }
    return this.fail(definition.name, error);
  }

  #isRefusal(definition: HostFunctionDefinition, error: SandboxError): boolean {
    const { builtIn, isRefusal } = this.#options;
    return this.#refusals.has(error) || definition === builtIn ||
      isRefusal?.(error) === true;
  }
}

/** What one function of the host knows of its call. */
class Context implements HostFunctionContext {
  readonly name: string;
  readonly #calls: HostCalls;
  #operation: Operation | undefined;

  constructor(name: string, calls: HostCalls) {
    this.name = name;
    this.#calls = calls;
  }

  /** What the guest waits for; made when somebody asks. */
  get operation(): Operation {
    return this.#operation ??= new Operation("the answer of a host function");
  }

  get signal(): AbortSignal {
    return this.operation.signal;
  }

  /** Keeps a function from running when nobody waits for it any more. */
  check(): void {
    this.#operation?.check();
  }

  audit(operation: string, args?: readonly unknown[]): void {
    this.#calls.audit(operation, args);
  }
}
