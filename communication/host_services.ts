/**
 * What the host does for its guests, wherever they run.
 *
 * @module
 */

import type { SandboxError } from "../errors.ts";
import type { ResolvedLimits } from "../security/limits.ts";
import { CallChannel } from "./call_channel.ts";
import { CallScope } from "./call_scope.ts";
import { OpenStreams } from "./call_streams.ts";
import type { ExtismService } from "./extism/types.ts";
import { GuestFault } from "./fault.ts";
import { HostCalls, type ServiceAuditor } from "./host_calls.ts";
import {
  type HostFunctionDefinition,
  type HostFunctions,
  hostFunctionTable,
  HTTP_FUNCTION,
} from "./host_functions.ts";
import { LogPace } from "./log_pace.ts";
import type {
  BeginOptions,
  CallServices,
  CallStreams,
  Channel,
  LogLevel,
  MaybePromise,
  ServiceProvider,
} from "./types.ts";

export type { ServiceAuditor };

/** Makes requests for guests: takes and gives an envelope. */
export type HttpFunction = (
  input: Uint8Array<ArrayBuffer>,
  options: { readonly signal: AbortSignal },
) => MaybePromise<Uint8Array<ArrayBuffer>>;

/** What a host does for the guests of one sandbox. */
export interface HostServicesOptions {
  /** Functions that a guest may call. */
  readonly functions: HostFunctions;
  /** Decides, and records; a `SecurityAuditor`. */
  readonly auditor: ServiceAuditor;
  /** The limits. */
  readonly limits: Pick<
    ResolvedLimits,
    "messageBytes" | "streamBytes" | "timeoutMs"
  >;
  /** The channel, if there is one. Not disposed here. */
  readonly channel?: Channel;
  /** Makes requests, if the policy grants any. */
  readonly http?: HttpFunction;
  /**
   * Counts a message of the channel; what it throws ends the guest.
   *
   * @default {a function that does nothing}
   */
  readonly countMessage?: () => void;
  /**
   * Whether an error is one with which the sandbox refused a function of the
   * host: it is for the guest, as what `context.audit` throws is.
   *
   * @default {a function that returns false}
   */
  readonly isRefusal?: (error: unknown) => boolean;
  /** Answers Extism plug-ins that call functions of the host. */
  readonly extism?: ExtismService;
  /** Told of each failure that the guest is not told of. */
  readonly onHostFunctionError?: (
    error: SandboxError<"host-function-failed">,
  ) => void;
}

/** What the host does for the guests of one sandbox. */
export class HostServices implements ServiceProvider {
  readonly #options: HostServicesOptions;
  readonly #calls: HostCalls;
  readonly #pace = new LogPace();
  #streamBytes = 0;

  /**
   * Constructs it.
   *
   * @param options What it offers.
   * @throws {TypeError} If something is wrong with the functions.
   */
  constructor(options: HostServicesOptions) {
    const { functions, auditor, limits, http } = options;
    this.#options = options;
    this.#calls = new HostCalls({
      functions: hostFunctionTable(functions),
      builtIn: http === undefined ? undefined : httpDefinition(http),
      auditor,
      limits,
      isRefusal: options.isRefusal,
      onHostFunctionError: options.onHostFunctionError,
    });
  }

  /** Most bytes that one call has read and written through its streams. */
  get streamBytes(): number {
    return this.#streamBytes;
  }

  /**
   * Begins a call. Calls that overlap have nothing in common but the channel
   * and what is counted.
   *
   * @param streams Its streams.
   * @param options Whether the guest can wait.
   * @returns Its services.
   * @throws {TypeError} If a stream is none, or is locked.
   */
  begin(
    streams: CallStreams,
    { canWait = true }: BeginOptions = {},
  ): CallServices {
    const { auditor, channel, limits, extism, countMessage = () => {} } =
      this.#options;
    const scope = new CallScope();
    const hasStreams = streams.source !== undefined ||
      streams.sink !== undefined;
    return new HostCall({
      scope,
      calls: this.#calls,
      auditor,
      pace: canWait ? this.#pace : undefined,
      extism,
      channel: channel && new CallChannel({
        channel,
        scope,
        messageBytes: limits.messageBytes,
        countMessage,
        fail: (name, error) => this.#calls.fail(name, error),
      }),
      streams: hasStreams
        ? new OpenStreams({ streams, scope, limits })
        : undefined,
      ended: (streamBytes) => {
        this.#streamBytes = Math.max(this.#streamBytes, streamBytes);
      },
    });
  }

  /**
   * What was used of the `maxCalls` of functions.
   *
   * @returns What is allowed and what was used, by name.
   */
  usage(): Record<string, { readonly allowed: number; readonly used: number }> {
    return this.#calls.usage();
  }
}

/** What one call has of its host. */
interface HostCallParts {
  readonly scope: CallScope;
  readonly calls: HostCalls;
  readonly auditor: ServiceAuditor;
  /** How fast it may log; missing if it cannot wait. */
  readonly pace: LogPace | undefined;
  readonly extism: ExtismService | undefined;
  readonly channel: CallChannel | undefined;
  readonly streams: OpenStreams | undefined;
  readonly ended: (streamBytes: number) => void;
}

/** The services of one call. */
class HostCall implements CallServices {
  readonly extism?: ExtismService;
  readonly #parts: HostCallParts;
  /** While there were too many lines. */
  #pause: Promise<void> | undefined;
  #end: Promise<void> | undefined;

  constructor(parts: HostCallParts) {
    this.#parts = parts;
    const { extism, scope } = parts;
    if (extism === undefined) return;
    this.extism = (call) => {
      scope.check();
      return extism(call);
    };
  }

  call(
    name: string,
    input: Uint8Array<ArrayBuffer>,
  ): MaybePromise<Uint8Array<ArrayBuffer>> {
    const { calls, scope } = this.#parts;
    scope.check();
    return calls.call(name, input, scope);
  }

  receive(
    timeoutMs: number,
  ): MaybePromise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#channel().receive(timeoutMs);
  }

  send(message: Uint8Array<ArrayBuffer>): MaybePromise<void> {
    return this.#channel().send(message);
  }

  read(maxBytes: number): MaybePromise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#streams().read(maxBytes);
  }

  write(bytes: Uint8Array<ArrayBuffer>): MaybePromise<void> {
    return this.#streams().write(bytes);
  }

  log(level: LogLevel, message: string): MaybePromise<void> {
    const { auditor, pace, scope } = this.#parts;
    auditor.log(level, message);
    const delayMs = pace?.count(message.length) ?? 0;
    if (delayMs === 0) return undefined;
    // what comes meanwhile, from a process, is told to wait as well
    return this.#pause ??= scope.pause(delayMs).finally(() => {
      this.#pause = undefined;
    });
  }

  end(failure?: unknown): Promise<void> {
    return this.#end ??= this.#letGo(failure);
  }

  async #letGo(failure: unknown): Promise<void> {
    const { scope, streams, ended } = this.#parts;
    scope.end(failure);
    if (streams === undefined) return;
    ended(streams.bytes);
    await streams.end(failure);
  }

  #channel(): CallChannel {
    this.#parts.scope.check();
    if (this.#parts.channel !== undefined) return this.#parts.channel;
    throw new GuestFault("unknown", "the sandbox has no channel");
  }

  #streams(): OpenStreams {
    this.#parts.scope.check();
    if (this.#parts.streams !== undefined) return this.#parts.streams;
    throw new GuestFault("unknown", "the call has no streams");
  }
}

/** Requests keep their own rules: the network capability's. */
function httpDefinition(http: HttpFunction): HostFunctionDefinition {
  return {
    name: HTTP_FUNCTION,
    handler: (input, { signal }) =>
      http(input as Uint8Array<ArrayBuffer>, { signal }),
    codec: "bytes",
    input: undefined,
    output: undefined,
    capability: undefined,
    maxCalls: Infinity,
    timeoutMs: Infinity,
  };
}
