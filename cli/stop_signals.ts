/**
 * The signals that ask a process to stop.
 *
 * @module
 */

/** What asks a process to stop. Windows knows no SIGTERM. */
const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM"];

/**
 * How long one request to stop may take to come, in milliseconds: a terminal and
 * the programs in between, such as `deno task`, each pass it on.
 */
const ECHO_MS = 250;

/**
 * Takes over what asks this process to stop: SIGINT and SIGTERM.
 *
 * @param listener Called each time that it is asked; signals within a quarter of
 * a second are one.
 * @returns Gives that back when it is disposed, as soon as no echo can come.
 */
export function onStopSignal(listener: () => void): Disposable {
  let askedAt = -Infinity;
  const onSignal = () => {
    const now = performance.now();
    if (now - askedAt < ECHO_MS) return;
    askedAt = now;
    listener();
  };
  for (const signal of SIGNALS) Deno.addSignalListener(signal, onSignal);
  const giveBack = () => {
    for (const signal of SIGNALS) Deno.removeSignalListener(signal, onSignal);
  };
  return {
    [Symbol.dispose]: () => {
      const restMs = askedAt + ECHO_MS - performance.now();
      if (restMs <= 0) return giveBack();
      // an echo would end the process in the way that nobody asked for
      Deno.unrefTimer(setTimeout(giveBack, restMs));
    },
  };
}
