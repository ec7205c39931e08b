/**
 * What a child asks of its host while its guest runs.
 *
 * @module
 */

import type { ResolvedLimits } from "../../security/limits.ts";
import { checked } from "./check.ts";
import type { ChildProcess } from "./child_process.ts";
import {
  FRAME,
  longestBody,
  type Message,
  OUTPUT_BYTES,
  ProtocolError,
  STREAM_BYTES,
  WINDOW_BYTES,
} from "./frames.ts";
import type { HostFunctions } from "./host_functions.ts";
import type { Line, Question, SentEvent } from "./messages.ts";
import {
  isEvents,
  isLogLine,
  isNothing,
  isOutput,
  isQuestion,
  MAX_LINE_BYTES,
} from "./questions.ts";
import type { RunStreams } from "./run_streams.ts";
import type { ServiceAnswer, ServiceCalls } from "./service_calls.ts";
import { StreamWrites } from "./stream_writes.ts";
import type { Symlinks } from "./symlinks.ts";

/** What the services of one operation are made from. */
export interface ServiceParts {
  /** Who asks. */
  readonly child: ChildProcess;
  /** The limits of the guest. */
  readonly limits: ResolvedLimits;
  /** Functions that the guest imports. */
  readonly functions: HostFunctions;
  /** Makes symbolic links. */
  readonly symlinks: Symlinks;
  /** The standard streams, of a command. */
  readonly streams?: RunStreams | undefined;
  /** Services of the guest's host; none while the module is opened. */
  readonly calls?: ServiceCalls | undefined;
  /** Takes events. */
  readonly onEvent: (event: SentEvent) => void;
}

/** Credit is given back in amounts of at least this much. */
const CREDIT_BYTES = WINDOW_BYTES / 4;

/** Does what a child asks for during one operation. */
export class Services {
  readonly #parts: ServiceParts;
  /** What was received and not yet taken in. */
  #outstanding = 0;
  /** What was taken in and not yet told. */
  #earned = 0;
  readonly #writes: StreamWrites | undefined;
  /** When all that is to be written was taken. */
  #written: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;

  /**
   * Constructs it.
   *
   * @param parts What it is made from.
   */
  constructor(parts: ServiceParts) {
    const { calls } = parts;
    this.#parts = parts;
    this.#writes = calls && new StreamWrites({
      calls,
      onDone: (cost, fault) => this.#earn(cost, fault),
    });
  }

  /** Why the child was ended here, if it was. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  /**
   * The longest body of a message.
   *
   * @param type Its type.
   * @returns Its length; below 0 if such a message may not come.
   */
  maxBody(type: number): number {
    const { calls, limits } = this.#parts;
    switch (type) {
      case FRAME.ask:
        return calls ? longestBody(limits) : 0;
      case FRAME.events:
        return 0;
      case FRAME.output:
        return OUTPUT_BYTES;
      case FRAME.log:
        return calls ? MAX_LINE_BYTES : -1;
      case FRAME.write:
        return calls ? STREAM_BYTES : -1;
      default:
        return -1;
    }
  }

  /**
   * Does what a message asks for.
   *
   * @param message The message.
   * @returns When it is done, if it is not yet.
   * @throws {ProtocolError} If the message is not in order.
   */
  serve(message: Message): void | Promise<void> {
    switch (message.type) {
      case FRAME.ask:
        return this.#answer(message);
      case FRAME.events:
        return this.#record(message);
      case FRAME.output:
        return this.#output(message);
      case FRAME.log:
        return this.#log(message);
      case FRAME.write:
        return this.#write(message);
      default:
        throw new ProtocolError(`a message of type ${message.type}`);
    }
  }

  /** Waits until all output was taken. */
  async settle(): Promise<void> {
    await this.#written;
    this.#giveBack();
  }

  async #answer({ header, body }: Message): Promise<void> {
    const question = checked<Question>(header, isQuestion, "question");
    const { seq } = question;
    if (question.what !== "service" && body.length > 0) {
      throw new ProtocolError(`a body of ${body.length} bytes`);
    }
    const { answer, body: bytes } = await this.#answerTo(question, body);
    const { child } = this.#parts;
    // it waits for the answer, and has nothing else to say
    if (!child.isQuiet) throw new ProtocolError("a word out of turn");
    child.send(FRAME.reply, { seq, ...answer }, bytes);
  }

  async #answerTo(
    question: Question,
    body: Uint8Array<ArrayBuffer>,
  ): Promise<{ answer: ServiceAnswer["answer"]; body?: Uint8Array }> {
    switch (question.what) {
      case "call":
        return { answer: await this.#parts.functions.call(question) };
      case "symlink":
        return { answer: this.#parts.symlinks.make(question) };
      case "stdin": {
        const streams = this.#streams();
        const bytes = await streams.read(question.maxBytes);
        return bytes === undefined
          ? { answer: { end: true } }
          : { answer: { more: streams.hasMore }, body: bytes };
      }
      case "service":
        // what is read may come while what was written is still taken
        if (question.service !== "read") await this.#written;
        return await this.#calls().answer(question, body);
    }
  }

  #record({ header, cost }: Message): void {
    this.#receive(cost);
    const { events } = checked<{ readonly events: readonly SentEvent[] }>(
      header,
      isEvents,
      "list of events",
    );
    for (const event of events) this.#parts.onEvent(event);
    this.#earn(cost);
  }

  #output({ header, body, cost }: Message): void {
    this.#receive(cost);
    const { fd } = checked<{ readonly fd: 1 | 2 }>(header, isOutput, "output");
    const written = this.#streams().write(fd, body);
    if (written === undefined) return this.#earn(cost);
    this.#later(written.then(() => this.#earn(cost)));
  }

  #log({ header, body, cost }: Message): void {
    this.#receive(cost);
    const { level } = checked<Line>(header, isLogLine, "line of a log");
    const paused = this.#calls().log(level, body);
    if (paused === undefined) return this.#earn(cost);
    // with no room for more lines the guest waits too
    this.#later(paused.then(() => this.#earn(cost)));
  }

  #write({ header, body, cost }: Message): void {
    this.#receive(cost);
    checked(header, isNothing, "write");
    this.#calls();
    const written = this.#writes?.write({ body, cost });
    if (written !== undefined) this.#later(written);
  }

  /** Others may come in meanwhile, as far as the window allows. */
  #later(written: Promise<void>): void {
    this.#written = Promise.all([this.#written, written]).then(ignore);
    this.#written.catch((error: unknown) => {
      // the guest need not run on
      this.#failure ??= { error };
      this.#parts.child.kill();
    });
  }

  #calls(): ServiceCalls {
    const { calls } = this.#parts;
    if (calls === undefined) {
      throw new ProtocolError("a use of services that it was not given");
    }
    return calls;
  }

  #streams(): RunStreams {
    const { streams } = this.#parts;
    if (streams === undefined) {
      throw new ProtocolError("a use of streams that it was not given");
    }
    return streams;
  }

  #receive(bytes: number): void {
    this.#outstanding += bytes;
    if (this.#outstanding <= WINDOW_BYTES) return;
    throw new ProtocolError("more output than there was room for");
  }

  /** A fault is told at once. */
  #earn(bytes: number, fault?: ServiceAnswer): void {
    this.#earned += bytes;
    if (fault !== undefined || this.#earned >= CREDIT_BYTES) {
      this.#giveBack(fault);
    }
  }

  #giveBack({ answer, body }: Partial<ServiceAnswer> = {}): void {
    if (this.#earned === 0) return;
    const credit = { bytes: this.#earned, ...answer };
    this.#parts.child.send(FRAME.credit, credit, body);
    this.#outstanding -= this.#earned;
    this.#earned = 0;
  }
}

function ignore(): void {}
