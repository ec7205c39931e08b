/**
 * Tells why a guest did not return, and says so.
 *
 * @module
 */

import { quote, reasonOf } from "../../_text.ts";
import { type ImportName, SandboxError } from "../../errors.ts";
import type { ResolvedLimits } from "../../security/limits.ts";

/** Tells the causes of one instance's failures apart. */
export class Failures {
  readonly #limits: ResolvedLimits;
  readonly #trap: () => never;
  #host:
    | {
      readonly cause: unknown;
      readonly name: ImportName;
      readonly own: boolean;
    }
    | undefined;

  /**
   * Constructs it.
   *
   * @param limits The instance's limits.
   * @param trap Raises a trap.
   */
  constructor(limits: ResolvedLimits, trap: () => never) {
    this.#limits = limits;
    this.#trap = trap;
  }

  /**
   * Notes what a host function threw, and traps: a guest can catch what
   * JavaScript throws, but no trap.
   *
   * @param cause What was thrown.
   * @param name The import.
   * @param own Whether it is a host module's, whose errors are passed on.
   */
  hostFunction(cause: unknown, name: ImportName, own: boolean): never {
    this.#host ??= { cause, name, own };
    return this.#trap();
  }

  /**
   * Whether a host function has failed. If the guest has returned all the
   * same, it has caught what was thrown for want of stack to trap.
   */
  get hostFailed(): boolean {
    return this.#host !== undefined;
  }

  /**
   * The error of a guest that reached its deadline or the end of its fuel.
   *
   * @param name The export that ran.
   * @param late The deadline, if it was that.
   * @param cause What the engine threw, if anything.
   * @returns The error.
   */
  overLimit(
    name: string,
    late: number | undefined,
    cause?: unknown,
  ): SandboxError<"limit-exceeded"> {
    const limit = late === undefined ? "fuel" : "timeoutMs";
    return limitExceeded(name, {
      limit,
      allowed: late ?? this.#limits.fuel ?? 0,
      suggestion: `raise ${limit}, or look for an endless loop in the guest`,
    }, cause);
  }

  /** The error of a guest that was at its deadline while the host worked. */
  waitedTooLong(
    name: string,
    timeoutMs: number,
    { module, name: imported }: ImportName,
  ): SandboxError<"limit-exceeded"> {
    const which = `${quote(module)}.${quote(imported)}`;
    return limitExceeded(name, {
      limit: "timeoutMs",
      allowed: timeoutMs,
      suggestion: `raise timeoutMs, or let the host function ${which}, for ` +
        "which the guest waited, answer sooner",
    }, undefined);
  }

  /** Why an instance is dead whose call was cancelled while it waited. */
  cancelled(name: string): SandboxError<"trap"> {
    return new SandboxError(
      "trap",
      `Cannot complete ${
        quote(name)
      }: the call was cancelled while the guest ` +
        "waited, and it cannot go on",
      { details: { export: name, kind: "trap" } },
    );
  }

  /** The error of a call whose instance was let go while it waited. */
  disposed(name: string): SandboxError<"disposed"> {
    return new SandboxError(
      "disposed",
      `Cannot complete ${quote(name)}: the instance was disposed meanwhile`,
      { details: { kind: "instance" } },
    );
  }

  /** The error of a guest that was stopped for a call around this one. */
  outerLate(name: string, cause: unknown): SandboxError<"limit-exceeded"> {
    return limitExceeded(name, {
      limit: "timeoutMs",
      allowed: this.#limits.timeoutMs,
      suggestion: "raise timeoutMs of the call around this one, which is late",
    }, cause);
  }

  /**
   * The error of a guest that did not return for another reason.
   *
   * @param name The export that ran.
   * @param error What the engine or the ABI threw.
   * @returns The error.
   */
  of(name: string, error: unknown): SandboxError {
    const host = this.#host;
    const cause = host === undefined ? error : host.cause;
    if (isStackOverflow(cause)) {
      return limitExceeded(name, stackOf(this.#limits), cause);
    }
    if (host?.own && SandboxError.is(host.cause)) return host.cause;
    if (host !== undefined) return hostFailed(name, host.name, host.cause);
    if (SandboxError.is(error)) return error;
    const thrown = isException(error);
    return new SandboxError(
      "trap",
      `Cannot complete ${quote(name)}: the guest ${
        thrown
          ? "threw an exception that it did not catch"
          : `trapped: ${reasonOf(error)}`
      }`,
      {
        cause: plain(error),
        details: { export: name, kind: thrown ? "exception" : "trap" },
      },
    );
  }

  /**
   * Whether a guest that ended so may have used more fuel than it has noted:
   * it notes it before calls, exceptions and traps on purpose.
   *
   * @param error What the engine or the ABI threw.
   * @returns Whether it may.
   */
  isInexact(error: unknown): boolean {
    if (this.#host !== undefined) return isStackOverflow(this.#host.cause);
    return error instanceof WebAssembly.RuntimeError || isStackOverflow(error);
  }

  /** Notes that a guest has called host functions too often; it must trap. */
  tooManyHostCalls(allowed: number, name: ImportName): void {
    const cause = limitExceeded(name.name, {
      limit: "hostCalls",
      allowed,
      used: allowed + 1,
      suggestion: "raise hostCalls, or let the guest call less often",
    }, undefined);
    this.#host ??= { cause, name, own: true };
  }

  /** The error of a call on an instance that is dead or disposed. */
  dead(name: string, failure: SandboxError | undefined): SandboxError {
    if (SandboxError.is(failure, "disposed")) {
      return new SandboxError(
        "disposed",
        `Cannot call ${quote(name)}: the instance is disposed`,
        { details: failure.details },
      );
    }
    return new SandboxError(
      "instance-dead",
      `Cannot call ${quote(name)}: the instance ended with an earlier call ` +
        "(reset the sandbox, or use a fresh instance for each call)",
      { cause: failure, details: { reason: failure?.code ?? "trap" } },
    );
  }
}

/** V8's stack of a thread, as Deno leaves it. */
const STACK_BYTES = 984 * 1024;

type LimitDetails = SandboxError<"limit-exceeded">["details"];

/** The stack, as it is: a process may be given another. */
function stackOf({ stackBytes }: ResolvedLimits): LimitDetails {
  const less = "let the guest recurse less deep";
  if (stackBytes === undefined) {
    return { limit: "stack", allowed: STACK_BYTES, suggestion: less };
  }
  return {
    limit: "stackBytes",
    // V8 takes whole KiB
    allowed: Math.floor(stackBytes / 1024) * 1024,
    suggestion: `raise stackBytes, or ${less}`,
  };
}

/**
 * A copy of an engine's error. The original holds the frames of the guest, and
 * with them its memory, for as long as somebody keeps it.
 */
function plain(error: unknown): unknown {
  if (!(error instanceof Error)) {
    return isException(error) ? undefined : error;
  }
  const copy = new Error(error.message);
  copy.name = error.name;
  copy.stack = String(error.stack);
  return copy;
}

/** The types of TypeScript do not know exceptions of WebAssembly yet. */
const { Exception } = WebAssembly as unknown as { Exception: ErrorConstructor };

function isException(error: unknown): boolean {
  return error instanceof Exception;
}

function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError &&
    reasonOf(error).includes("call stack size");
}

function limitExceeded(
  name: string,
  details: LimitDetails,
  cause: unknown,
): SandboxError<"limit-exceeded"> {
  const { limit, allowed, suggestion } = details;
  const what = limit === "stack" || limit === "stackBytes"
    ? `the stack of ${allowed} bytes is exhausted`
    : `${limit} of ${allowed} is used up`;
  return new SandboxError(
    "limit-exceeded",
    `Cannot complete ${quote(name)}: ${what} (${suggestion})`,
    { ...(cause === undefined ? {} : { cause: plain(cause) }), details },
  );
}

function hostFailed(
  name: string,
  { module, name: imported }: ImportName,
  cause: unknown,
): SandboxError<"host-function-failed"> {
  return new SandboxError(
    "host-function-failed",
    `Cannot complete ${quote(name)}: the host function ${quote(module)}.${
      quote(imported)
    } failed: ${reasonOf(cause)}`,
    { cause, details: { import: { module, name: imported } } },
  );
}
