/**
 * What host and child say to each other, as types. The child trusts its host;
 * the host checks every field.
 *
 * @module
 */

import type { FaultStatus } from "../../communication/fault.ts";
import type { LogLevel } from "../../communication/types.ts";
import type { SerializedError } from "../../errors.ts";
import type { ResourceLimits } from "../../security/limits.ts";
import type { AuditEvent, Capability } from "../../security/types.ts";
import type { ExtismParts } from "../guest_host.ts";
import type { GuestAbi, Module, ModuleFeatures } from "../types.ts";
import type { ProcessEngine } from "./engine.ts";

/** The first message to a child; the body is the module, and the others. */
export interface Open {
  /** What is to run it, as the child sees it. */
  readonly engine: ProcessEngine;
  /** Other modules, in the order of the body, at whose end they stand. */
  readonly linked: readonly SentLinked[];
  /** All limits; an infinite `timeoutMs` is left out, for the host keeps it. */
  readonly limits: ResourceLimits;
  /** Which proposals the module may use. */
  readonly features: ModuleFeatures;
  /** What is granted. */
  readonly capabilities: readonly Capability[];
  /** What may be imported: functions of the host, and constants. */
  readonly imports: readonly SentImport[];
  /** What Extism plug-ins are given; without it none is run. */
  readonly extism?: ExtismParts;
  /** Process id of the host, without which the child does not live on. */
  readonly hostPid: number;
  /** Whether the child must look after its host by itself. */
  readonly watch: boolean;
  /** Whether there are no files but those that are granted. */
  readonly alone: boolean;
}

/** A module that another one imports from. */
export interface SentLinked {
  /** What it is imported as. */
  readonly name: string;
  /** Its length. */
  readonly byteLength: number;
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

/**
 * Answers what a child asked; the body is what was read, received or returned,
 * or the document of a fault.
 */
export interface Answer {
  /** Number of the question. */
  readonly seq: number;
  /** What a host function returned, as text. */
  readonly values?: readonly string[];
  /** Whether what is read has ended, or no message came in time. */
  readonly end?: boolean;
  /** Whether the host has more of it already. */
  readonly more?: boolean;
  /** Why the guest did not get it. */
  readonly fault?: FaultStatus;
  /** Why it could not be done. */
  readonly problem?: string;
}

/** Makes room in the window. */
export interface Credit {
  /** How many bytes more may be sent. */
  readonly bytes: number;
  /** Why what was written was not taken; the body is the document. */
  readonly fault?: FaultStatus;
}

/** A fault on its way to the guest. */
export interface SentFault {
  /** Its number, by name. */
  readonly status: FaultStatus;
  /** What the guest reads of it. */
  readonly document: Uint8Array<ArrayBuffer>;
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
    | ServiceQuestion
  );

/** A service that a guest asks for; the body is what it sends. */
export type ServiceQuestion =
  & { readonly what: "service" }
  & (
    | { readonly service: "call"; readonly name: string }
    | {
      readonly service: "receive";
      /** Without it, as long as the call may take. */
      readonly timeoutMs?: number;
    }
    | { readonly service: "send" | "write" | "extism" }
    | { readonly service: "read"; readonly maxBytes: number }
  );

/** A line of the guest's log; the body is the text. */
export interface Line {
  /** How much it matters. */
  readonly level: LogLevel;
}

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
export interface SentModule extends Omit<Module, "byteLength"> {
  /** Whether it, or one that it imports from, asks for services. */
  readonly asks: boolean;
}
