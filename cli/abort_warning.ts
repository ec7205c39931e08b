/**
 * A warning of Deno's that is none to the users of a command.
 *
 * @module
 */

/** How it begins. */
const WARNING = "Deno.serve: request.signal aborts on successful";

/**
 * Keeps Deno from warning, once, that the signal which tells of a client that
 * went away is aborted also where the client has stayed. That is known here, and
 * only who starts Deno can have it otherwise.
 *
 * @returns Gives the console back when it is disposed.
 */
export function withoutAbortWarning(): Disposable {
  const target = console;
  const { warn } = target;
  const filtered = (...data: unknown[]) => {
    if (!String(data[0]).startsWith(WARNING)) warn(...data);
  };
  target.warn = filtered;
  return {
    [Symbol.dispose]: () => {
      if (target.warn === filtered) target.warn = warn;
    },
  };
}
