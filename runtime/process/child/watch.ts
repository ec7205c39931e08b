/**
 * Sees to it that the child does not outlive its host, on machines that have
 * nothing better.
 *
 * @module
 */

/** How often to look, in milliseconds. */
const INTERVAL_MS = 100;

/**
 * Starts a thread that ends this process once its parent is another one. The
 * guest may keep this thread busy for ever, but not that one.
 *
 * @param hostPid Process id of the host.
 */
export function watchHost(hostPid: number): void {
  const program = `setInterval(() => {
    if (Deno.ppid !== ${hostPid}) Deno.kill(Deno.pid, "SIGKILL");
  }, ${INTERVAL_MS});`;
  const url = `data:application/javascript,${encodeURIComponent(program)}`;
  new Worker(url, { type: "module" });
}
