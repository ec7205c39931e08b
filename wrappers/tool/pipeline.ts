/** Tools in a line: what one writes the next one reads. */

import { outputOf } from "./stream.ts";
import type {
  PipelineStatus,
  ToolResult,
  ToolStatus,
  ToolStream,
} from "./types.ts";

/** Runs that are joined, as one. */
export class Pipeline implements ToolStream<PipelineStatus> {
  readonly stdin: WritableStream<Uint8Array>;
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array>;
  readonly status: Promise<PipelineStatus>;
  readonly #stages: readonly ToolStream[];

  constructor(stages: readonly [ToolStream, ...ToolStream[]]) {
    const [first] = stages;
    const last = stages.at(-1) ?? first;
    this.#stages = stages;
    this.stdin = first.stdin;
    this.stdout = last.stdout;
    this.stderr = merged(stages.map(({ stderr }) => stderr));
    for (const [index, { stdout }] of stages.slice(0, -1).entries()) {
      // each of the two tells by its own status how it ended
      stdout.pipeTo(stages[index + 1]?.stdin ?? first.stdin).catch(() => {});
    }
    this.status = statusOf(stages);
    this.status.catch(() => {});
  }

  output(): Promise<PipelineStatus & ToolResult> {
    return outputOf(this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#stages.map((each) => each[Symbol.asyncDispose]()));
  }
}

async function statusOf(
  stages: readonly ToolStream[],
): Promise<PipelineStatus> {
  const ended = await Promise.allSettled(stages.map(({ status }) => status));
  // the one behind it fails for what the one before it failed with
  const failed = ended.find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
  const statuses = ended.map((each) =>
    (each as PromiseFulfilledResult<ToolStatus>).value
  );
  const exitCodes = statuses.map(({ exitCode }) => exitCode);
  return {
    exitCode: exitCodes.findLast((code) => code !== 0) ?? 0,
    exitCodes,
    files: new Map(statuses.flatMap(({ files }) => [...files])),
  };
}

/** All of them in one, in the order in which pieces come. */
function merged(
  streams: readonly ReadableStream<Uint8Array>[],
): ReadableStream<Uint8Array> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  void pump(streams, writable.getWriter());
  return readable;
}

async function pump(
  streams: readonly ReadableStream<Uint8Array>[],
  writer: WritableStreamDefaultWriter<Uint8Array>,
): Promise<void> {
  const pumped = await Promise.allSettled(streams.map(async (stream) => {
    for await (const piece of stream) await writer.write(piece);
  }));
  const failed = pumped.find(({ status }) => status === "rejected");
  const end = failed?.status === "rejected"
    ? writer.abort(failed.reason)
    : writer.close();
  await end.catch(() => {});
}
