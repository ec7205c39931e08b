/** How a suite declares its tests, unless it is told otherwise. */

/** Declares a test that may leave nothing open. */
export function denoTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: true, sanitizeResources: true });
}
