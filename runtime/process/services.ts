/**
 * What a child asks of its host while its guest runs.
 *
 * @module
 */

import type { ResolvedLimits } from "../../security/limits.ts";
import {
  checked,
  isArrayOf,
  isCount,
  isOneOf,
  isShaped,
  isText,
} from "./check.ts";
import type { ChildProcess } from "./child_process.ts";
import { OF_CHILD } from "./grants.ts";
import {
  FRAME,
  type Message,
  OUTPUT_BYTES,
  ProtocolError,
  WINDOW_BYTES,
} from "./frames.ts";
import type { HostFunctions } from "./host_functions.ts";
import type { Answer, Question, SentEvent } from "./messages.ts";
import type { RunStreams } from "./run_streams.ts";
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
  /** Takes events. */
  readonly onEvent: (event: SentEvent) => void;
}

/** Credit is given back in amounts of at least this much. */
const CREDIT_BYTES = WINDOW_BYTES / 4;
/** Most events in one message. */
const MAX_EVENTS = 64;

/** Does what a child asks for during one operation. */
export class Services {
  readonly #parts: ServiceParts;
  /** What was received and not yet taken in. */
  #outstanding = 0;
  /** What was taken in and not yet told. */
  #earned = 0;
  #written: Promise<void> = Promise.resolve();
  #broken = false;

  /**
   * Constructs it.
   *
   * @param parts What it is made from.
   */
  constructor(parts: ServiceParts) {
    this.#parts = parts;
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
      default:
        throw new ProtocolError(`a message of type ${message.type}`);
    }
  }

  /** Waits until all output was taken. */
  async settle(): Promise<void> {
    await this.#written;
    this.#giveBack();
  }

  async #answer({ header }: Message): Promise<void> {
    const question = checked<Question>(header, isQuestion, "question");
    const { seq } = question;
    const reply = (answer: Omit<Answer, "seq">, body?: Uint8Array) =>
      this.#parts.child.send(FRAME.reply, { seq, ...answer }, body);
    switch (question.what) {
      case "call":
        return reply(await this.#parts.functions.call(question));
      case "symlink":
        return reply(this.#parts.symlinks.make(question));
      case "stdin": {
        const streams = this.#streams();
        const bytes = await streams.read(question.maxBytes);
        return bytes === undefined
          ? reply({ end: true })
          : reply({ more: streams.hasMore }, bytes);
      }
    }
  }

  #record({ header, frameBytes }: Message): void {
    this.#receive(frameBytes);
    const { events } = checked<{ readonly events: readonly SentEvent[] }>(
      header,
      isEvents,
      "list of events",
    );
    for (const event of events) this.#parts.onEvent(event);
    this.#earn(frameBytes);
  }

  #output({ header, body, frameBytes }: Message): void | Promise<void> {
    this.#receive(frameBytes);
    const { fd } = checked<{ readonly fd: 1 | 2 }>(header, isOutput, "output");
    const written = this.#streams().write(fd, body);
    if (written === undefined) return this.#earn(frameBytes);
    // others may come in meanwhile, as far as the window allows
    this.#written = Promise.all([this.#written, written]).then(() =>
      this.#earn(frameBytes)
    );
    this.#written.catch(() => {
      // told when it is waited for; the guest need not run on
      this.#broken = true;
    });
    return this.#broken ? this.#written : undefined;
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

  #earn(bytes: number): void {
    this.#earned += bytes;
    if (this.#earned >= CREDIT_BYTES) this.#giveBack();
  }

  #giveBack(): void {
    if (this.#earned === 0) return;
    this.#parts.child.send(FRAME.credit, { bytes: this.#earned });
    this.#outstanding -= this.#earned;
    this.#earned = 0;
  }
}

const MAX_ARGUMENTS = 1_000;

const isLine = (value: unknown) =>
  typeof value === "string" && value.length <= 32_768;

const isCall = isShaped({
  required: {
    seq: isCount,
    what: isOneOf(["call"]),
    index: isCount,
    args: isArrayOf(isText, MAX_ARGUMENTS),
  },
});

const isStdin = isShaped({
  required: {
    seq: isCount,
    what: isOneOf(["stdin"]),
    maxBytes: (value) =>
      isCount(value) && Number(value) > 0 && Number(value) <= OUTPUT_BYTES,
  },
});

const isSymlink = isShaped({
  required: {
    seq: isCount,
    what: isOneOf(["symlink"]),
    mount: isLine,
    target: isLine,
    path: isArrayOf(isLine, MAX_ARGUMENTS),
  },
});

function isQuestion(header: unknown): boolean {
  return isCall(header) || isStdin(header) || isSymlink(header);
}

const isOutput = isShaped({
  required: { fd: (value) => value === 1 || value === 2 },
});

/** ISO 8601, UTC, to the millisecond. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

const isEvents = isShaped({
  required: {
    events: isArrayOf(
      isShaped({
        required: {
          time: (value) => typeof value === "string" && TIME.test(value),
          decision: isOneOf(["allowed", "denied"]),
          operation: isLine,
          // of others the host decides, and a child has nothing to say
          capability: isOneOf(OF_CHILD),
          resource: isLine,
        },
        optional: { via: isLine, reason: isLine },
      }),
      MAX_EVENTS,
    ),
  },
});
