/** Waiting that leaves no timer behind. */

/** Waits for some time, or until it is aborted. */
export function wait(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    };
    const onAbort = () => {
      end();
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      end();
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort);
  });
}

/** Waits for something for so long; tells whether it came to pass. */
export async function inTime(
  promise: Promise<unknown>,
  ms: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const stop = new AbortController();
  const signals = signal === undefined
    ? stop.signal
    : AbortSignal.any([stop.signal, signal]);
  try {
    return await Promise.race([
      promise.then(() => true),
      wait(ms, signals).then(() => false),
    ]);
  } finally {
    stop.abort();
  }
}

/** Waits for something that goes on if whoever waits gives up. */
export async function orAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return await promise;
  const abort = Promise.withResolvers<never>();
  const onAbort = () => abort.reject(signal.reason);
  signal.addEventListener("abort", onAbort);
  promise.catch(() => {});
  try {
    return await Promise.race([promise, abort.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
