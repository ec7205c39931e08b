import type { StandardSchemaV1 } from "../../communication/standard_schema.ts";
import type { OperationOptions } from "../../runtime/types.ts";
import type { InstancePolicy } from "../../sandbox_options.ts";
import type { GuestOptions } from "../guest_options.ts";

/** What a custom wrapper is made from; the section `custom` of a manifest. */
export interface CustomWrapperConfig extends GuestOptions {
  /** The exported function that answers requests. */
  readonly entryPoint: string;
  /**
   * What happens to a guest between two requests.
   *
   * @default {"reuse"}
   */
  readonly instance?: InstancePolicy;
  /**
   * Most requests that are answered at a time, each by a guest of its own.
   *
   * @default {4}
   */
  readonly maxConcurrentRequests?: number;
  /**
   * Most requests that wait; one more is refused with `overloaded`.
   *
   * @default {64}
   */
  readonly maxQueuedRequests?: number;
  /**
   * Longest time of a request, the wait for a guest included, in milliseconds.
   * Where `limits` has a `timeoutMs`, the shorter of them ends the guest.
   *
   * @default {5_000}
   */
  readonly timeoutMs?: number;
}

/**
 * Options of `CustomWrapper.processRequest`.
 *
 * @typeParam R What the reply is.
 */
export interface CustomRequestOptions<R = unknown> extends OperationOptions {
  /** What the reply must be. Without it nobody checks what the guest says. */
  reply?: StandardSchemaV1<unknown, R>;
  /**
   * A shorter time than that of the wrapper, in milliseconds.
   *
   * @default {the wrapper's timeoutMs}
   */
  timeoutMs?: number;
}

/** Options of `CustomWrapper.startService`. */
export interface CustomServiceOptions extends OperationOptions {
  /**
   * Told of what ends the service other than the end of its channel, and of
   * failures that the other end is told no more of than that there was one.
   */
  onError?: (error: unknown) => void;
}

/** The answer to a request that came through a channel. */
export type CustomReply =
  | {
    /** What the guest answered. */
    readonly result: unknown;
    /** There is none. */
    readonly error?: undefined;
  }
  | {
    /** There is none. */
    readonly result?: undefined;
    /** Why there is no result. */
    readonly error: CustomFault;
  };

/** Why a request was not answered. */
export interface CustomFault {
  /** Code of a `SandboxError`, or `"failed"`. */
  readonly code: string;
  /** What happened, in a sentence. */
  readonly message: string;
  /** Details of the `SandboxError`, if it is one. */
  readonly details?: unknown;
}

/** What a service has done. */
export interface CustomServiceStats {
  /** Requests that were taken. */
  readonly taken: number;
  /** Requests that were answered, with a result or a fault. */
  readonly answered: number;
  /** Those of them that were answered with a fault. */
  readonly faults: number;
}

/** Answers what comes through a channel, until it is disposed. */
export interface CustomService extends AsyncDisposable {
  /**
   * Fulfilled when the service has ended: its channel is closed, or it was
   * drained, disposed or broken. Never rejected.
   */
  readonly closed: Promise<void>;
  /**
   * What it has done.
   *
   * @returns The figures of this moment.
   */
  stats(): CustomServiceStats;
  /** Takes no more requests, and waits until those it took are answered. */
  drain(): Promise<void>;
  /**
   * Ends it: requests that run are stopped and answered with a fault, if there
   * is room in the channel within a second. Twice is once.
   */
  [Symbol.asyncDispose](): Promise<void>;
}
