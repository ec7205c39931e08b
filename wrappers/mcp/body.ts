/** Responses: refusals, and bodies that somebody may not read. */

/** A request that is answered with a status. */
export class Refused extends Error {
  readonly status: number;
  /** Code of the error, as JSON-RPC has them. */
  readonly code: number;

  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }

  /** The response. */
  response(headers: Readonly<Record<string, string>> = {}): Response {
    const { code, message } = this;
    return Response.json(
      { jsonrpc: "2.0", error: { code, message }, id: null },
      { status: this.status, headers },
    );
  }
}

/** How a response's body is passed on. */
export interface WatchOptions {
  /** Most bytes that wait for the client. */
  readonly maxUnreadBytes: number;
  /** Pieces after which it ends, though its source does not. */
  readonly pieces?: number | undefined;
  /** Told once when it has ended, by whom it may be. */
  readonly onEnd: () => void;
}

/** Passes a response on, and cuts it off if nobody reads it. */
export function watched(response: Response, options: WatchOptions): Response {
  const { body, status, headers } = response;
  const { maxUnreadBytes, onEnd } = options;
  if (body === null) {
    onEnd();
    return response;
  }
  const reader = body.getReader();
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => void pump(reader, controller, options),
    cancel: async (reason) => {
      onEnd();
      await reader.cancel(reason);
    },
  }, new ByteLengthQueuingStrategy({ highWaterMark: maxUnreadBytes }));
  return new Response(stream, { status, headers });
}

/** Reads at once what the other side's queue would hold without a bound. */
async function pump(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  controller: ReadableStreamDefaultController<Uint8Array>,
  { pieces = Infinity, onEnd }: WatchOptions,
): Promise<void> {
  try {
    for (let count = 0; count < pieces; count++) {
      const { done, value } = await reader.read();
      if (done) break;
      if ((controller.desiredSize ?? 0) <= 0) {
        throw new Error("the client does not read");
      }
      controller.enqueue(value);
    }
    controller.close();
  } catch (error) {
    controller.error(error);
  } finally {
    onEnd();
    reader.cancel().catch(() => {});
  }
}
