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
  return {
    read(maxBytes) {
      if (rest.length === 0 && !isOver) {
        const { answer, body } = pipe.ask({
          what: "stdin",
          maxBytes: OUTPUT_BYTES,
        });
        isOver = answer.end === true;
        rest = body;
      }
      if (rest.length === 0) return undefined;
      const part = rest.subarray(0, maxBytes);
      rest = rest.subarray(part.length);
      return part;
    },
  };
}
