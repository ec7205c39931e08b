/** Checks of the suite for wrappers. */

import { pause } from "./_pause.ts";

/** How long anything may take that has to end, in milliseconds. */
export const LATE_MS = 15_000;

/** Fails unless it holds. */
export function check(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`The wrapper does not conform: ${what}`);
}

/** Waits for what has to come. */
export async function soon<T>(
  promise: Promise<T>,
  what: string,
  ms: number = LATE_MS,
): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const error = new Error(
    `The wrapper does not conform: ${what} took more than ${ms} ms`,
  );
  const timer = setTimeout(() => reject(error), ms);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What something came to. */
export type Outcome =
  | { readonly state: "fulfilled"; readonly value: unknown }
  | { readonly state: "rejected"; readonly reason: unknown };

/** What something comes to; fails if it never ends. */
export async function outcomeOf(
  run: () => unknown,
  what: string,
): Promise<Outcome> {
  // what is thrown at once is no other than what is rejected
  const running = (async () => await run())().then(
    (value): Outcome => ({ state: "fulfilled", value }),
    (reason): Outcome => ({ state: "rejected", reason }),
  );
  return await soon(running, what);
}

/** What something is rejected with; fails if it is not. */
export async function failureOf(
  run: () => unknown,
  what: string,
): Promise<unknown> {
  const outcome = await outcomeOf(run, what);
  check(outcome.state === "rejected", `${what} did not fail`);
  return outcome.reason;
}

/** Waits until it holds; fails if it never does. */
export async function eventually(
  holds: () => boolean,
  what: string,
  ms = 3_000,
): Promise<void> {
  for (const start = performance.now(); performance.now() - start < ms;) {
    if (holds()) return;
    await pause(20);
  }
  check(holds(), what);
}
