/**
 * The one error type that crosses this package's public API.
 *
 * @module
 */

/** Where and how a guest left the path of normal return. */
export type TrapKind = "trap" | "exception";

/** What is wrong with a document, and where. */
export interface DocumentProblems {
  /** Name of the file, or what stands for it. */
  readonly source: string;
  /** Line, from 1, if it is known. */
  readonly line?: number;
  /** Column, from 1, if it is known. */
  readonly column?: number;
  /** Where in the document: `capabilities[0].mounts`. */
  readonly path: string;
  /** What was expected there. */
  readonly expected: string;
  /** Everything that is wrong, this first; at most 20. */
  readonly problems?: readonly PolicyProblem[];
}

/** What each {@linkcode SandboxErrorCode} carries in `details`. */
export interface SandboxErrorDetails {
  /** A name was asked of a factory that does not know it. */
  "unknown-name": {
    /** What was looked up: `"runtime"`. */
    readonly kind: string;
    /** The name that is not known. */
    readonly name: string;
    /** The nearest known name, if one is near. */
    readonly suggestion?: string;
  };
  /** The module could not be read from its path or URL. */
  "module-unreadable": {
    /** The path or URL, as given. */
    readonly source: string;
  };
  /** The bytes are no valid WebAssembly module. */
  "invalid-module": {
    /** Length of the input in bytes. */
    readonly byteLength: number;
    /** Where the fault was found, in bytes from the start, if known. */
    readonly offset?: number;
  };
  /** The module is valid, but uses something that is not allowed here. */
  "module-refused": {
    /** What was refused: a feature, a bound or a name. */
    readonly reason: string;
    /** Name of the feature to allow, where that would help. */
    readonly feature?: string;
    /** Where, in bytes from the start, if known. */
    readonly offset?: number;
  };
  /** The module imports something that nobody grants. */
  "import-not-granted": {
    /** The imports that are missing or of another kind. */
    readonly missing: readonly ImportName[];
  };
  /** The module has no such exported function. */
  "export-not-found": {
    /** The name that was called. */
    readonly name: string;
    /** The nearest exported function, if one is near. */
    readonly suggestion?: string;
  };
  /** The guest trapped, or threw an exception that nobody caught. */
  "trap": {
    /** The export that was running. */
    readonly export: string;
    /** Whether it trapped or threw. */
    readonly kind: TrapKind;
  };
  /** The guest answered outside the rules of its ABI. */
  "guest-protocol": {
    /** The export that was running. */
    readonly export: string;
    /** What was wrong: a pointer, a length, the text, a signature. */
    readonly problem: string;
  };
  /** A function that the host granted threw. */
  "host-function-failed": {
    /** The import that threw. */
    readonly import: ImportName;
  };
  /** A limit was reached. The instance is dead. */
  "limit-exceeded": {
    /** Name of the limit, as in `ResourceLimits`, or `"stack"`. */
    readonly limit: string;
    /** What was allowed, in the unit of the limit's name. */
    readonly allowed: number;
    /** What was used or asked for, where that is known. */
    readonly used?: number;
    /** What to do about it. */
    readonly suggestion: string;
  };
  /** The instance is running, and one of its host functions called into it. */
  "instance-busy": {
    /** The export that was called. */
    readonly export: string;
  };
  /** The instance did not return from an earlier call and cannot go on. */
  "instance-dead": {
    /** Code of the error that ended it. */
    readonly reason: SandboxErrorCode;
  };
  /** The runtime or the machine cannot do or enforce what was asked for. */
  "unsupported": {
    /** Name of the runtime. */
    readonly runtime: string;
    /** What it cannot do. */
    readonly feature: string;
  };
  /** An engine that has to be installed cannot be had. */
  "runtime-unavailable": {
    /** Name of the runtime. */
    readonly runtime: string;
    /** Why it cannot be had. */
    readonly reason: string;
    /** How to get it. */
    readonly suggestion: string;
  };
  /** Too many are served and wait already. */
  "overloaded": {
    /** How many are served. */
    readonly running: number;
    /** How many wait. */
    readonly waiting: number;
  };
  /** A plugin takes no calls. */
  "plugin-unavailable": {
    /** Its name. */
    readonly plugin: string;
    /** What it is doing instead. */
    readonly state:
      | "backing-off"
      | "quarantined"
      | "awaiting-approval"
      | "failed"
      | "unloading";
    /** Why. */
    readonly reason: string;
    /** In how many milliseconds it takes calls again, if that is known. */
    readonly retryAfterMs?: number;
  };
  /** A capability is not well-formed. */
  "invalid-capability": {
    /** Type of the capability, as far as it is known. */
    readonly capability: string;
    /** What is wrong, and where within it. */
    readonly problem: string;
    /** Where within it: `mounts[0].guest`; `""` is the whole. */
    readonly path: string;
  };
  /** No capability of the type is granted. */
  "capability-not-granted": AuditedOperation;
  /** What is granted does not cover it. */
  "access-denied": AuditedOperation;
  /** An operation has wrong arguments. */
  "invalid-argument": {
    /** The operation, as it was asked for. */
    readonly operation: string;
    /** What is wrong. */
    readonly problem: string;
  };
  /** A policy file is not well-formed. */
  "invalid-policy": DocumentProblems;
  /** A manifest is not well-formed. */
  "invalid-manifest": DocumentProblems;
  /** A file with a template's config is not well-formed. */
  "invalid-config": DocumentProblems;
  /** A template is none, or does not come out as what it is. */
  "template-failed": {
    /** Name of the template. */
    readonly template: string;
    /** The file of it. */
    readonly file: string;
    /** What is wrong. */
    readonly problem: string;
  };
  /** Files of a project cannot be written; none of them was. */
  "project-unwritable": {
    /** The project's folder, as given. */
    readonly directory: string;
    /** Why. */
    readonly problem: string;
    /** Files that are there as something else, if replacing them would help. */
    readonly taken?: readonly string[];
  };
  /** A tool cannot be installed or removed; nothing has changed. */
  "install-failed": {
    /** The file or the directory that it is about. */
    readonly path: string;
    /** Why. */
    readonly problem: string;
  };
  /** The guest's function failed, and said so. The instance lives on. */
  "guest-error": {
    /** The export that failed. */
    readonly export: string;
    /** What the guest says of it; control characters are escaped. */
    readonly problem: string;
  };
  /** A message is not what it must be, or cannot be sent. */
  "invalid-message": {
    /** Where it was to go, or came from: a channel, a function. */
    readonly where: string;
    /** What is wrong with it. */
    readonly problem: string;
  };
  /** A channel is closed. */
  "channel-closed": {
    /** Type of the channel. */
    readonly channel: string;
  };
  /** The other side of an rpc answered with an error. */
  "rpc-error": {
    /** The method that was asked for. */
    readonly method: string;
    /** Number of the error, as JSON-RPC 2.0 has it. */
    readonly code: number;
    /** What the other side adds, if anything; trust nothing of it. */
    readonly data?: unknown;
  };
  /** An operation was not done in its time. */
  "timed-out": {
    /** What it was. */
    readonly operation: string;
    /** The time that it had, in milliseconds. */
    readonly timeoutMs: number;
  };
  /** The guest ended itself, as `proc_exit` of WASI does. */
  "guest-exit": {
    /** Its exit code. */
    readonly exitCode: number;
  };
  /** The process of a guest could not be started, or ended by itself. */
  "process-failed": {
    /** When: while it started, while it ran, or by what it said. */
    readonly phase: "start" | "run" | "protocol";
    /** Its exit code, if it had one. */
    readonly exitCode?: number;
    /** The signal that ended it, if one did. */
    readonly signal?: string;
    /** What to do about it. */
    readonly suggestion: string;
  };
  /** The object was used after it was disposed. */
  "disposed": {
    /** What was disposed: `"sandbox"`, `"instance"`, `"runtime"`. */
    readonly kind: string;
  };
}

/** One thing that is wrong with a policy file. */
export interface PolicyProblem {
  /** Line, from 1, if it is known. */
  readonly line?: number;
  /** Column, from 1, in characters, if it is known. */
  readonly column?: number;
  /** Where in the document: `capabilities[0].mounts`. */
  readonly path: string;
  /** What was expected there. */
  readonly expected: string;
  /** All of that in a sentence. */
  readonly message: string;
}

/** An operation that was decided on. */
export interface AuditedOperation {
  /** Type of the capability that governs it. */
  readonly capability: string;
  /** `type.action`, such as `"filesystem.read"`. */
  readonly operation: string;
  /** What it is done to. */
  readonly resource: string;
}

/** An import, by its two names. */
export interface ImportName {
  /** Name of the module that is imported from. */
  readonly module: string;
  /** Name within that module. */
  readonly name: string;
  /** Kind of the import, where it matters. */
  readonly kind?: string;
}

/** Machine-readable reason of a {@linkcode SandboxError}. */
export type SandboxErrorCode = keyof SandboxErrorDetails;

const CODES: ReadonlySet<string> = new Set<SandboxErrorCode>([
  "unknown-name",
  "module-unreadable",
  "invalid-module",
  "module-refused",
  "import-not-granted",
  "export-not-found",
  "trap",
  "guest-protocol",
  "host-function-failed",
  "limit-exceeded",
  "instance-busy",
  "instance-dead",
  "unsupported",
  "runtime-unavailable",
  "invalid-capability",
  "capability-not-granted",
  "access-denied",
  "invalid-argument",
  "invalid-policy",
  "invalid-manifest",
  "invalid-config",
  "template-failed",
  "project-unwritable",
  "overloaded",
  "plugin-unavailable",
  "install-failed",
  "guest-error",
  "invalid-message",
  "channel-closed",
  "rpc-error",
  "timed-out",
  "guest-exit",
  "process-failed",
  "disposed",
]);

/** Options of the {@linkcode SandboxError} constructor. */
export interface SandboxErrorOptions<C extends SandboxErrorCode>
  extends ErrorOptions {
  /** Structured facts about the failure. */
  details: SandboxErrorDetails[C];
}

/** An error as plain JSON, the form that crosses a process boundary. */
export interface SerializedError {
  /** Name of the error's class. */
  readonly name: string;
  /** The message. */
  readonly message: string;
  /** Code, for a {@linkcode SandboxError}. */
  readonly code?: SandboxErrorCode;
  /** Details, for a {@linkcode SandboxError}. */
  readonly details?: unknown;
  /** The cause, in the same form. */
  readonly cause?: SerializedError;
}

/** How many causes of causes are carried across a boundary. */
const MAX_CAUSES = 8;

/** Brands instances, so that a second copy of this package knows them too. */
const BRAND = Symbol.for("@wasm-sandbox/core/SandboxError");

/**
 * A failure that a caller is expected to handle. Discriminate on `code`.
 *
 * Text in the message that came from a guest has its control characters
 * escaped.
 *
 * @example Usage
 * ```ts
 * import { SandboxError } from "@wasm-sandbox/core";
 * import { assert } from "@std/assert";
 *
 * const error = new SandboxError("disposed", "Cannot call: disposed", {
 *   details: { kind: "sandbox" },
 * });
 * const copy = SandboxError.fromJSON(JSON.parse(JSON.stringify(error)));
 * assert(SandboxError.is(copy, "disposed"));
 * assert(copy.details.kind === "sandbox");
 * ```
 *
 * @typeParam C The code of this error.
 */
export class SandboxError<C extends SandboxErrorCode = SandboxErrorCode>
  extends Error {
  /** Name of the class, the same in every copy of this package. */
  override readonly name = "SandboxError";
  /** Machine-readable reason. */
  readonly code: C;
  /** Structured facts about the failure, typed by `code`. */
  readonly details: SandboxErrorDetails[C];

  /**
   * Constructs a new instance.
   *
   * @param code Machine-readable reason.
   * @param message What could not be done, why, and what to do.
   * @param options Details, and the cause if there is one.
   */
  constructor(code: C, message: string, options: SandboxErrorOptions<C>) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.details = { ...options.details };
    Object.freeze(this.details);
    Object.defineProperty(this, BRAND, { value: true });
  }

  /**
   * Narrows an unknown value to a {@linkcode SandboxError}, if wanted of one
   * code. Knows the errors of other copies of this package in this thread;
   * across threads and processes send {@linkcode SandboxError.toJSON}.
   *
   * @typeParam C The code to narrow to.
   * @param error Any value, usually from a `catch` clause.
   * @param code The code to look for; any, if left out.
   * @returns Whether `error` is a {@linkcode SandboxError} of that code.
   */
  static is<C extends SandboxErrorCode = SandboxErrorCode>(
    error: unknown,
    code?: C,
  ): error is SandboxError<C> {
    return error instanceof Error && Object.hasOwn(error, BRAND) &&
      (code === undefined || (error as SandboxError).code === code);
  }

  /**
   * The error as plain data, causes included, stacks left out.
   *
   * @returns What {@linkcode SandboxError.fromJSON} takes.
   */
  toJSON(): SerializedError {
    return serialize(this, MAX_CAUSES);
  }

  /**
   * Makes an error out of its plain form.
   *
   * @param data What {@linkcode SandboxError.toJSON} gave.
   * @returns The error, whole but for the stack.
   * @throws {TypeError} If `data` is not of that form.
   */
  static fromJSON(data: unknown): SandboxError {
    const error = deserialize(data, MAX_CAUSES);
    if (SandboxError.is(error)) return error;
    throw new TypeError("Cannot read a SandboxError: the code is missing");
  }
}

/** Every {@linkcode SandboxError}, as a union that a `switch` can narrow. */
export type AnySandboxError = {
  [C in SandboxErrorCode]: SandboxError<C>;
}[SandboxErrorCode];

function serialize(error: Error, depth: number): SerializedError {
  const { name, message, cause } = error;
  return {
    name,
    message,
    ...(SandboxError.is(error)
      ? { code: error.code, details: error.details }
      : {}),
    ...(cause instanceof Error && depth > 0
      ? { cause: serialize(cause, depth - 1) }
      : {}),
  };
}

function deserialize(data: unknown, depth: number): Error {
  if (typeof data !== "object" || data === null) {
    throw new TypeError("Cannot read a SandboxError: not an object");
  }
  const { name, message, code, details, cause } = data as Partial<
    SerializedError
  >;
  if (typeof name !== "string" || typeof message !== "string") {
    throw new TypeError("Cannot read a SandboxError: no name or no message");
  }
  const options = cause !== undefined && depth > 0
    ? { cause: deserialize(cause, depth - 1) }
    : {};
  if (code === undefined) {
    const error = new Error(message, options);
    error.name = name;
    return error;
  }
  if (
    !CODES.has(code) || typeof details !== "object" || details === null
  ) {
    throw new TypeError("Cannot read a SandboxError: unknown code or details");
  }
  return new SandboxError(code, message, {
    ...options,
    details: details as SandboxErrorDetails[typeof code],
  });
}
