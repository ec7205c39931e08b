/**
 * Does what the host asks for, one message after the other.
 *
 * @module
 */

import { SandboxError, type SerializedError } from "../../../errors.ts";
import { EventSink } from "../../process/child/events.ts";
import { watchHost } from "../../process/child/watch.ts";
import { decodeFiles, encodeFiles } from "../../process/files.ts";
import { FRAME, type Header, type Message } from "../../process/frames.ts";
import type { Execute, SentModule } from "../../process/messages.ts";
import type { WasmerOpen } from "../messages.ts";
import { Guest } from "./guest.ts";
import type { AsyncPipe } from "./pipe.ts";
import { ProgramRun } from "./run.ts";

/** What an operation gives. */
interface Result {
  readonly header?: Header;
  readonly body?: Uint8Array;
}

/** The guest of this process, and what its host wants of it. */
export class Child {
  readonly #pipe: AsyncPipe;
  readonly #events: EventSink;
  #guest: Guest | undefined;

  /**
   * Constructs it.
   *
   * @param pipe The way to the host.
   */
  constructor(pipe: AsyncPipe) {
    this.#pipe = pipe;
    this.#events = new EventSink(pipe);
  }

  /**
   * Does what a message asks for.
   *
   * @param message The message.
   */
  async handle({ type, header, body }: Message): Promise<void> {
    const data: unknown = header;
    switch (type) {
      case FRAME.open:
        return await this.#answer(
          0,
          () => this.#open(data as WasmerOpen, body),
        );
      case FRAME.instantiate:
        return await this.#answer(Number(header["id"]), () => ({}));
      case FRAME.execute: {
        const request = data as Execute;
        return await this.#answer(
          request.id,
          () => this.#execute(request, body),
        );
      }
      case FRAME.release:
        return Deno.exit(0);
      default:
        throw new Error(`unexpected message ${type}`);
    }
  }

  async #answer(
    id: number,
    work: () => Result | Promise<Result>,
  ): Promise<void> {
    try {
      const { header, body } = await work();
      this.#events.flush();
      this.#pipe.send(FRAME.done, { id, ...header }, body);
    } catch (error) {
      this.#events.flush();
      const sent = { id, error: serialize(error), dead: true };
      this.#pipe.send(FRAME.failed, sent);
    }
  }

  async #open(
    open: WasmerOpen,
    body: Uint8Array<ArrayBuffer>,
  ): Promise<Result> {
    if (Deno.ppid !== open.hostPid) Deno.exit(0);
    if (open.watch) watchHost(open.hostPid);
    const guest = await Guest.open(open, decodeFiles(body), this.#events);
    this.#guest = guest;
    const sent: SentModule = { ...guest.module, asks: false };
    return { body: new TextEncoder().encode(JSON.stringify(sent)) };
  }

  async #execute(
    { args, env }: Execute,
    body: Uint8Array<ArrayBuffer>,
  ): Promise<Result> {
    if (this.#guest === undefined) throw new Error("no module is open");
    const files = decodeFiles(body);
    const run = new ProgramRun(this.#guest, this.#pipe);
    const exitCode = await run.run({ args, env, files });
    const written = encodeFiles(await run.files());
    return { header: { exitCode, usage: run.usage() }, body: written };
  }
}

function serialize(error: unknown): SerializedError {
  if (SandboxError.is(error)) return error.toJSON();
  const { name, message } = error instanceof Error
    ? error
    : new Error(String(error));
  return { name, message };
}
