/**
 * The services of one operation, as a guest in a process asks for them.
 *
 * @module
 */

import { quote, reasonOf } from "../../_text.ts";
import { ABI_MODULE } from "../../communication/abi_version.ts";
import {
  FAULT_STATUS,
  type FaultStatus,
  GuestFault,
} from "../../communication/fault.ts";
import {
  FAULT_BYTES,
  faultDocument,
} from "../../communication/fault_document.ts";
import type {
  CallServices,
  LogLevel,
  MaybePromise,
} from "../../communication/types.ts";
import type { ExtismService } from "../../communication/extism/types.ts";
import { answerCall } from "../../communication/extism/wire.ts";
import { decodeLeniently } from "../../communication/utf8.ts";
import { type ImportName, SandboxError } from "../../errors.ts";
import type { ResolvedLimits } from "../../security/limits.ts";
import { longestBody, ProtocolError, STREAM_BYTES } from "./frames.ts";
import type { Answer, ServiceQuestion } from "./messages.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** What fails. */
type ServiceName = ServiceQuestion["service"] | "log";

/** What a child is told, and the bytes with it. */
export interface ServiceAnswer {
  /** The answer, without its number. */
  readonly answer: Omit<Answer, "seq">;
  /** Its bytes. */
  readonly body?: Bytes;
}

/** What the services of one operation are called with. */
export interface ServiceCallsOptions {
  /** Does it. */
  readonly services: CallServices;
  /** Name of the export that runs, for messages. */
  readonly name: string;
  /** The limits. */
  readonly limits: ResolvedLimits;
  /**
   * Counts a call of the host.
   *
   * @throws {ProtocolError} If it is one too many.
   */
  readonly count: () => void;
}

/** Calls the services of one operation. */
export class ServiceCalls {
  readonly #services: CallServices;
  readonly #name: string;
  readonly #messageBytes: number;
  readonly #maxBody: number;
  readonly #count: () => void;
  #failure: SandboxError | undefined;
  /** Whether a function that only a plug-in imports has failed. */
  #isOfPlugin = false;

  /**
   * Constructs it.
   *
   * @param options The services, and the limits.
   */
  constructor({ services, name, limits, count }: ServiceCallsOptions) {
    this.#services = services;
    this.#name = name;
    this.#messageBytes = limits.messageBytes;
    this.#maxBody = longestBody(limits);
    this.#count = count;
  }

  /**
   * Puts what the host threw into the error that a child made of it.
   *
   * @param error What the child says.
   * @returns The error for the caller.
   */
  explain(error: SandboxError): SandboxError {
    if (this.#failure === undefined) return error;
    const { cause } = this.#failure;
    const isPlain = this.#isOfPlugin &&
      SandboxError.is(this.#failure, "host-function-failed");
    // which function of a plug-in's it was, and what the plug-in says of it
    if (!isPlain || SandboxError.is(error, "guest-error")) {
      return isPlain ? error : this.#failure;
    }
    if (!SandboxError.is(error, "host-function-failed")) return this.#failure;
    return failed(this.#name, error.details.import, cause);
  }

  /** What the guest had to end for. */
  get failure(): SandboxError | undefined {
    return this.#failure;
  }

  /**
   * Answers a question.
   *
   * @param question What is asked for; its fields are checked.
   * @param body What came with it.
   * @returns What the child is told.
   * @throws {ProtocolError} If the child may not ask so.
   */
  async answer(question: ServiceQuestion, body: Bytes): Promise<ServiceAnswer> {
    if (body.length > this.#longestOf(question.service)) {
      throw new ProtocolError(`a body of ${body.length} bytes`);
    }
    if (question.service === "write") requireBytes(body);
    this.requireGoingOn();
    this.#count();
    try {
      return await this.#serve(question, body);
    } catch (error) {
      const fault = this.faultOf(error);
      if (fault !== undefined) return fault;
      if (error instanceof ProtocolError) throw error;
      this.failed(question.service, error);
      // the child has to know no more than that
      return { answer: { problem: "the host ended the guest" } };
    }
  }

  /**
   * Writes to the sink of the call.
   *
   * @param bytes What to write.
   * @returns When there was room, unless there is.
   * @throws {GuestFault} If the guest is to be told.
   */
  write(bytes: Bytes): MaybePromise<void> {
    requireBytes(bytes);
    this.requireGoingOn();
    return this.#services.write(bytes);
  }

  /**
   * Writes a line of the log.
   *
   * @param level How much it matters.
   * @param line The line.
   * @returns When the guest may write the next, unless it may now.
   * @throws {SandboxError} If the guest has to end.
   */
  log(level: LogLevel, line: Bytes): MaybePromise<void> {
    this.requireGoingOn();
    this.#count();
    try {
      return this.#services.log(level, decodeLeniently(line));
    } catch (error) {
      throw this.failed("log", error);
    }
  }

  /**
   * Writes a fault for the guest.
   *
   * @param error What was thrown.
   * @returns What the child is told; undefined if it is no fault.
   */
  faultOf(
    error: unknown,
  ): ServiceAnswer & { readonly body: Bytes } | undefined {
    if (!(error instanceof GuestFault)) return undefined;
    const maxBytes = Math.max(FAULT_BYTES, this.#messageBytes);
    try {
      const fault: FaultStatus = Object.hasOwn(FAULT_STATUS, error.status)
        ? error.status
        : "failed";
      return { answer: { fault }, body: faultDocument(error, maxBytes) };
    } catch {
      // a getter of it has thrown
      return undefined;
    }
  }

  /**
   * Notes that the guest has to end.
   *
   * @param service What has failed.
   * @param cause How.
   * @returns The error of its call; that of the first time, if it had to end
   * before.
   */
  failed(service: ServiceName, cause: unknown): SandboxError {
    if (this.#failure !== undefined) return this.#failure;
    if (SandboxError.is(cause)) return this.#failure = cause;
    this.#isOfPlugin = service === "extism";
    const name = { module: ABI_MODULE, name: service };
    return this.#failure = failed(this.#name, name, cause);
  }

  /**
   * Sees to it that a child whose guest had to end does not go on.
   *
   * @throws {ProtocolError} If it had to end.
   */
  requireGoingOn(): void {
    if (this.#failure === undefined) return;
    throw new ProtocolError("a guest that went on when it had to end");
  }

  #longestOf(service: ServiceQuestion["service"]): number {
    if (service === "write") return STREAM_BYTES;
    if (service === "extism") return this.#maxBody;
    return service === "call" || service === "send" ? this.#messageBytes : 0;
  }

  async #serve(question: ServiceQuestion, body: Bytes): Promise<ServiceAnswer> {
    const services = this.#services;
    switch (question.service) {
      case "call":
        return this.#message(await services.call(question.name, body));
      case "receive":
        return this.#some(
          await services.receive(question.timeoutMs ?? Infinity),
        );
      case "read":
        return this.#some(await services.read(question.maxBytes));
      case "send":
        await services.send(body);
        return { answer: {} };
      case "write":
        await services.write(body);
        return { answer: {} };
      case "extism": {
        const { extism } = services;
        if (extism === undefined) {
          throw new ProtocolError("a use of functions that it was not given");
        }
        return { answer: {}, body: await answerPlugin(body, extism) };
      }
    }
  }

  #some(bytes: Bytes | undefined): ServiceAnswer {
    return bytes === undefined
      ? { answer: { end: true } }
      : this.#message(bytes);
  }

  /** What is too long for the guest does not go to its process either. */
  #message(bytes: Bytes): ServiceAnswer {
    if (bytes.length <= Math.max(this.#messageBytes, STREAM_BYTES)) {
      return { answer: {}, body: bytes };
    }
    throw new GuestFault("too-large", "the answer is longer than messageBytes");
  }
}

function failed(
  exportName: string,
  { module, name }: ImportName,
  cause: unknown,
): SandboxError<"host-function-failed"> {
  return new SandboxError(
    "host-function-failed",
    `Cannot complete ${quote(exportName)}: the host function ` +
      `${quote(module)}.${quote(name)} failed: ${reasonOf(cause)}`,
    { cause, details: { import: { module, name } } },
  );
}

/** Answers a plug-in; a child that sends what is no call breaks the rules. */
async function answerPlugin(
  body: Bytes,
  service: ExtismService,
): Promise<Bytes> {
  let isCall = false;
  try {
    return await answerCall(body, (call) => {
      isCall = true;
      return service(call);
    });
  } catch (cause) {
    if (isCall) throw cause;
    throw new ProtocolError("a malformed call of a plug-in", { cause });
  }
}

/** What costs its child nothing would cost its host something. */
function requireBytes(bytes: Bytes): void {
  if (bytes.length === 0) throw new ProtocolError("a write of nothing");
}
