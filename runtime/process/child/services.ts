/**
 * What a guest asks of its host, by the pipe. Nothing is a promise: the guest's
 * thread waits.
 *
 * @module
 */

import { GuestFault } from "../../../communication/fault.ts";
import { applyReply, encodeCall } from "../../../communication/extism/wire.ts";
import type { ExtismCall } from "../../../communication/extism/types.ts";
import type { CallServices, LogLevel } from "../../../communication/types.ts";
import { SandboxError } from "../../../errors.ts";
import type { WasmResult } from "../../types.ts";
import { FRAME, longestBody, STREAM_BYTES } from "../frames.ts";
import type { SentFault, ServiceQuestion } from "../messages.ts";
import type { Pipe } from "./pipe.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** The way to the host. */
export type ServicePipe = Pick<Pipe, "ask" | "sendPaced" | "takeFault">;

/** What services are made from, beside the pipe. */
export interface PipeServicesOptions {
  /** The limit of that name. */
  readonly messageBytes: number;
  /** Sends the events that were kept, which came before. */
  readonly flush: () => void;
}

/** The services of one call. */
export class PipeServices implements CallServices {
  readonly #pipe: ServicePipe;
  readonly #messageBytes: number;
  readonly #flush: () => void;
  /** What was read ahead. */
  #rest: Bytes = new Uint8Array();
  #isRead = false;
  /** Whether the last that was written was taken, as far as is known. */
  #isTaken = false;

  /**
   * Constructs it.
   *
   * @param pipe The way to the host.
   * @param options The longest message, and what sends the events that were
   * kept, which came before.
   */
  constructor(pipe: ServicePipe, { messageBytes, flush }: PipeServicesOptions) {
    this.#pipe = pipe;
    this.#messageBytes = messageBytes;
    this.#flush = flush;
    // what became of the streams of another call
    pipe.takeFault();
  }

  call(name: string, input: Bytes): Bytes {
    return this.#ask({ what: "service", service: "call", name }, input) ??
      new Uint8Array();
  }

  receive(timeoutMs: number): Bytes | undefined {
    return this.#ask({
      what: "service",
      service: "receive",
      // JSON has no word for no end
      ...(Number.isFinite(timeoutMs) ? { timeoutMs } : {}),
    });
  }

  send(message: Bytes): void {
    this.#ask({ what: "service", service: "send" }, message);
  }

  /** Asks for more than the guest wants: it may want every byte on its own. */
  read(maxBytes: number): Bytes | undefined {
    if (this.#rest.length === 0) {
      if (this.#isRead) return undefined;
      const more = this.#ask({
        what: "service",
        service: "read",
        maxBytes: Math.min(Math.max(maxBytes, LEAST_READ_BYTES), STREAM_BYTES),
      });
      if (more === undefined) {
        this.#isRead = true;
        return undefined;
      }
      this.#rest = more;
    }
    const part = this.#rest.subarray(0, maxBytes);
    this.#rest = this.#rest.subarray(part.length);
    return part;
  }

  /** Waits for no answer, but for the first time and after a fault. */
  write(bytes: Bytes): void {
    for (let at = 0; at < bytes.length; at += STREAM_BYTES) {
      this.#writePiece(bytes.subarray(at, at + STREAM_BYTES));
    }
  }

  log(level: LogLevel, message: string): void {
    this.#flush();
    this.#pipe.sendPaced(FRAME.log, { level }, ENCODER.encode(message));
  }

  /** Calls a function that a plug-in imports. */
  readonly extism = (call: ExtismCall): WasmResult => {
    const message = encodeCall(call);
    const allowed = longestBody({ messageBytes: this.#messageBytes });
    if (message.length > allowed) throw tooLong(allowed, message.length);
    const question = { what: "service", service: "extism" } as const;
    const reply = this.#ask(question, message);
    return reply && applyReply(call, reply);
  };

  /** The host ends them by itself. */
  end(): Promise<void> {
    return Promise.resolve();
  }

  #writePiece(piece: Bytes): void {
    if (this.#isTaken) {
      this.#pipe.sendPaced(FRAME.write, {}, piece);
      const fault = this.#pipe.takeFault();
      if (fault === undefined) return;
      this.#isTaken = false;
      throw faultOf(fault);
    }
    this.#ask({ what: "service", service: "write" }, piece);
    this.#isTaken = true;
  }

  #ask(question: ServiceQuestion, bytes?: Bytes): Bytes | undefined {
    this.#flush();
    const { answer, body } = this.#pipe.ask(question, bytes);
    // the host knows why
    if (answer.problem !== undefined) throw new Error(answer.problem);
    if (answer.fault !== undefined) {
      throw faultOf({ status: answer.fault, document: body });
    }
    return answer.end ? undefined : body;
  }
}

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

/** Fewer are never asked for. */
const LEAST_READ_BYTES = 64 * 2 ** 10;

/** The host has written it for the guest, who gets it as it was. */
function faultOf({ status, document }: SentFault): GuestFault {
  const { message, code, data }: GuestFault = JSON.parse(
    DECODER.decode(document),
  );
  return new GuestFault(status, message, { code, data });
}

function tooLong(
  allowed: number,
  used: number,
): SandboxError<"limit-exceeded"> {
  const suggestion = "raise messageBytes, or hand over less";
  return new SandboxError(
    "limit-exceeded",
    `Cannot call the function of the host: its blocks and variables take ` +
      `${used} bytes, and may take ${allowed} (${suggestion})`,
    { details: { limit: "messageBytes", allowed, used, suggestion } },
  );
}
