/** Streams of bytes: read to a bound, and written to an end. */

/** Options of {@linkcode collect}. */
export interface CollectOptions {
  /** Reading stops as soon as there are more than this. */
  readonly maxBytes: number;
  /** Cancels reading, and the stream. */
  readonly signal?: AbortSignal | undefined;
}

/** Reads to the end, or until there is more than wanted; then it is longer. */
export async function collect(
  stream: ReadableStream<Uint8Array>,
  { maxBytes, signal }: CollectOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  signal?.throwIfAborted();
  const bytes = new ByteCollector();
  const reader = stream.getReader();
  const cancel = () => void reader.cancel(signal?.reason).catch(() => {});
  signal?.addEventListener("abort", cancel);
  try {
    for (let reads = 1; bytes.length <= maxBytes; reads++) {
      const piece = await readPiece(reader);
      // a stream that is always ready would keep timers from firing
      if (reads % READS_PER_TURN === 0) await nextTurn();
      signal?.throwIfAborted();
      if (piece === undefined) return bytes.take();
      bytes.write(piece);
    }
    cancel();
    return bytes.take();
  } catch (error) {
    cancel();
    throw error;
  } finally {
    signal?.removeEventListener("abort", cancel);
    reader.releaseLock();
  }
}

/** Reads the next piece that is not empty; undefined at the end. */
export async function readPiece(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<Uint8Array | undefined> {
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return undefined;
    if (!(value instanceof Uint8Array)) throw notBytes();
    if (value.length > 0) return value;
    await nextTurn();
  }
}

function notBytes(): TypeError {
  return new TypeError(
    "Cannot read the stream: it gives something else than Uint8Array " +
      "(pipe text through a TextEncoderStream)",
  );
}

/** After so many reads whoever waits for a timer gets a turn. */
const READS_PER_TURN = 256;

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Writes bytes to a stream, and leaves it open. */
export async function writeAll(
  stream: WritableStream<Uint8Array>,
  bytes: Uint8Array,
  signal?: AbortSignal,
): Promise<void> {
  if (bytes.length === 0) return;
  signal?.throwIfAborted();
  const writer = stream.getWriter();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal?.reason);
  signal?.addEventListener("abort", abort);
  try {
    await Promise.race([writer.write(bytes), aborted.promise]);
  } finally {
    signal?.removeEventListener("abort", abort);
    writer.releaseLock();
  }
}

/** Puts bytes together, however small the pieces are. */
export class ByteCollector {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array();
  #length = 0;

  /** How many there are. */
  get length(): number {
    return this.#length;
  }

  /** Adds a copy. */
  write(chunk: Uint8Array): void {
    const length = this.#length + chunk.length;
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(256, length, 2 * this.#length));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(chunk, this.#length);
    this.#length = length;
  }

  /** All of it, and begins anew. */
  take(): Uint8Array<ArrayBuffer> {
    const bytes = this.#bytes.slice(0, this.#length);
    this.#bytes = new Uint8Array();
    this.#length = 0;
    return bytes;
  }
}

/**
 * Lets go of the streams of a call that failed, unless somebody else holds
 * them: a call that was refused has never taken them, and whoever is at their
 * other ends would wait for ever.
 */
export function abandon(
  { source, sink }: {
    readonly source?: ReadableStream<Uint8Array> | undefined;
    readonly sink?: WritableStream<Uint8Array> | undefined;
  },
  reason: unknown,
): void {
  if (source instanceof ReadableStream && !source.locked) {
    source.cancel(reason).catch(() => {});
  }
  if (sink instanceof WritableStream && !sink.locked) {
    sink.abort(reason).catch(() => {});
  }
}
