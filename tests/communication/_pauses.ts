/**
 * Measures for how long timers have to wait while something runs. The longest
 * waits are left out where something else on the machine may be at fault.
 *
 * @returns The third longest, in milliseconds.
 */
export async function longestPause(
  run: () => Promise<unknown>,
): Promise<number> {
  const pauses: number[] = [];
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    pauses.push(now - last);
    last = now;
  }, 1);
  try {
    await run();
  } finally {
    clearInterval(timer);
  }
  pauses.push(performance.now() - last);
  return pauses.sort((a, b) => b - a)[2] ?? Infinity;
}
