/**
 * What host and child say to each other, as types. The child trusts its host;
 * the host checks every field.
 *
 * @module
 */

import type { SerializedError } from "../../errors.ts";
import type { ResourceLimits } from "../../security/limits.ts";
import type { AuditEvent, Capability } from "../../security/types.ts";
import type { GuestAbi, Module, ModuleFeatures } from "../types.ts";

/** The first message to a child; the body is the module. */
export interface Open {
  /** All limits; an infinite `timeoutMs` is left out, for the host keeps it. */
  readonly limits: ResourceLimits;
  /** Which proposals the module may use. */
  readonly features: ModuleFeatures;
  /** What is granted. */
  readonly capabilities: readonly Capability[];
  /** What may be imported: functions of the host, and constants. */
  readonly imports: readonly SentImport[];
  /** Process id of the host, without which the child does not live on. */
  readonly hostPid: number;
  /** Whether the child must look after its host by itself. */
  readonly watch: boolean;
  /** Whether there are no files but those that are granted. */
  readonly alone: boolean;
}

/** An import that the host grants. */
export interface SentImport {
  /** Name of the module that it is imported from. */
  readonly module: string;
  /** Name within it. */
  readonly name: string;
  /** A constant, as text. Without it, it is a function. */
  readonly value?: string;
}

/** Makes an instance; the one before it is let go. */
export interface Instantiate {
  /** Number of the operation. */
  readonly id: number;
  /** The fuel that is left, if it is counted. */
  readonly fuel?: number;
}

/** Calls an export with numbers. */
export interface Call {
  /** Number of the operation. */
  readonly id: number;
  /** Name of the export. */
  readonly name: string;
  /** The arguments, as text. */
  readonly args: readonly string[];
}

/** Sends the body to an export. */
export interface Exchange {
  /** Number of the operation. */
  readonly id: number;
  /** Name of the export. */
  readonly name: string;
  /** Whether the body is text. */
  readonly text: boolean;
  /** Names of the guest's memory functions. */
  readonly abi?: GuestAbi;
}

/** Runs the guest as a command; the body holds files. */
export interface Execute {
  /** Number of the operation. */
  readonly id: number;
  /** The arguments, the program's name first. */
  readonly args: readonly string[];
  /** Variables. */
  readonly env: Readonly<Record<string, string>>;
}

/** Answers what a child asked; for the standard input the body is the bytes. */
export interface Answer {
  /** Number of the question. */
  readonly seq: number;
  /** What a host function returned, as text. */
  readonly values?: readonly string[];
  /** Whether the standard input has ended. */
  readonly end?: boolean;
  /** Whether the host has more of it already. */
  readonly more?: boolean;
  /** Why it could not be done. */
  readonly problem?: string;
}

/** What a child asks of its host, which it waits for. */
export type Question =
  & {
    /** Number of the question. */
    readonly seq: number;
  }
  & (
    | {
      readonly what: "call";
      /** Place in {@linkcode Open.imports}. */
      readonly index: number;
      readonly args: readonly string[];
    }
    | { readonly what: "stdin"; readonly maxBytes: number }
    | {
      readonly what: "symlink";
      /** The guest's path of the mount. */
      readonly mount: string;
      readonly target: string;
      /** Where below the mount, by segments. */
      readonly path: readonly string[];
    }
  );

/** Use of limits, by name. */
export type SentUsage = Readonly<Record<string, number>>;

/** An operation ended well. The body is its bytes, if it has any. */
export interface Done {
  /** Number of the operation. */
  readonly id: number;
  /** What was used so far. */
  readonly usage?: SentUsage;
  /** Numbers that were returned, as text. */
  readonly values?: readonly string[];
  /** The exit code of a command. */
  readonly exitCode?: number;
}

/** An operation ended otherwise. */
export interface Failed {
  /** Number of the operation. */
  readonly id: number;
  /** Why. */
  readonly error: SerializedError;
  /** Whether the instance is dead. */
  readonly dead: boolean;
  /** What was used so far. */
  readonly usage?: SentUsage;
}

/** An event as a child sends it; number and sandbox are for the host to add. */
export type SentEvent = Omit<AuditEvent, "sequence" | "sandbox">;

/** What a child says of its module, as JSON in a body. */
export type SentModule = Omit<Module, "byteLength">;
