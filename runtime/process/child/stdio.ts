/**
 * The standard streams of a guest, which its host holds.
 *
 * @module
 */

import type { StdinSource } from "../../wasi/types.ts";
import type { RunStreams } from "../../inline_instance.ts";
import { OUTPUT_BYTES } from "../frames.ts";
import type { Pipe } from "./pipe.ts";

/**
 * The standard streams of one run.
 *
 * @param pipe The way to the host.
 * @returns Streams that wait for the host.
 */
export function hostStreams(pipe: Pipe): RunStreams {
  return {
    stdin: stdinOf(pipe),
    stdout: { write: (chunk) => pipe.output(1, chunk) },
    stderr: { write: (chunk) => pipe.output(2, chunk) },
  };
}

/** Asks for a large piece at a time: a guest may want every byte on its own. */
function stdinOf(pipe: Pipe): StdinSource {
  let rest = new Uint8Array();
  let isOver = false;
  let hasMore = false;
  const ask = () => {
    const question = { what: "stdin", maxBytes: OUTPUT_BYTES };
    const { answer, body } = pipe.ask(question);
    isOver = answer.end === true;
    hasMore = answer.more === true;
    return body;
  };
  return {
    read(maxBytes) {
      if (rest.length === 0 && !isOver) rest = ask();
      // a guest shall not see where the pieces end: inline there are none
      if (rest.length < maxBytes && hasMore) rest = joined(rest, ask());
      if (rest.length === 0) return undefined;
      const part = rest.subarray(0, maxBytes);
      rest = rest.subarray(part.length);
      return part;
    },
  };
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
