/**
 * The program of a broker: it makes the requests that its host asks for, one
 * after the other. Its process may connect to one address and port, or look up
 * one name, and nothing else.
 *
 * @module
 */

import { Pipe } from "../../../runtime/process/child/pipe.ts";
import {
  FRAME,
  type Message,
  PROTOCOL,
} from "../../../runtime/process/frames.ts";
import { dial, type DialRequest } from "../dial.ts";
import { lookup } from "../lookup.ts";
import type { BrokerQuestion } from "./messages.ts";

const NEVER = new AbortController().signal;

const pipe = new Pipe(Deno.stdin, Deno.stdout);
pipe.send(FRAME.ready, { protocol: PROTOCOL });
for (;;) {
  const message = pipe.receive();
  if (message === undefined) Deno.exit(0);
  await answer(message);
}

/** The host is trusted: it has checked everything, and checks what it gets. */
async function answer({ header, body }: Message): Promise<void> {
  const question = header as unknown as BrokerQuestion;
  const { id } = question;
  if (question.what === "resolve") {
    const addresses = await lookup(question.host);
    return pipe.send(FRAME.done, { id, addresses });
  }
  const request: DialRequest = { ...question.request, body };
  const outcome = await dial(request, NEVER);
  if (outcome.state === "failed") {
    return pipe.send(FRAME.done, { id, ...outcome });
  }
  const { response: { status, headers, body: content }, wireBytes } = outcome;
  pipe.send(
    FRAME.done,
    { id, state: "done", status, headers, wireBytes },
    content,
  );
}
