/** Errors of the plugin host. */

import { nearest, printable, quote } from "../../_text.ts";
import { SandboxError, type SandboxErrorDetails } from "../../errors.ts";
import type { PluginRequest } from "./types.ts";

type Details = SandboxErrorDetails["plugin-unavailable"];

/** What to do about a plugin that takes no calls. */
const ADVICE: Readonly<Record<Details["state"], string>> = {
  "backing-off": "try again later",
  "quarantined": "reload or release it",
  "awaiting-approval": "approve of it, or grant it",
  "failed": "repair and reload it",
  "unloading": "load it again",
};

/** The error of a call that a plugin cannot take. */
export function unavailable(
  plugin: string,
  state: Details["state"],
  reason: string,
  more: { readonly retryAfterMs?: number; readonly cause?: unknown } = {},
): SandboxError<"plugin-unavailable"> {
  const { retryAfterMs, cause } = more;
  const advice = retryAfterMs === undefined
    ? ADVICE[state]
    : `try again in ${Math.ceil(retryAfterMs)} ms`;
  return new SandboxError(
    "plugin-unavailable",
    `Cannot use the plugin ${quote(plugin)}: ${reason} (${advice})`,
    {
      ...(cause === undefined ? {} : { cause }),
      details: {
        plugin,
        state,
        reason,
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      },
    },
  );
}

/** The error of a plugin that asks for more than was granted. */
export function needsApproval(
  name: string,
  request: PluginRequest | undefined,
): SandboxError<"plugin-unavailable"> {
  const { exceeds = [] } = request ?? {};
  return unavailable(
    name,
    "awaiting-approval",
    `it asks for more than was granted: ${exceeds.join(" ")}`,
  );
}

/** The error of a name that no plugin has. */
export function unknownPlugin(
  name: string,
  known: Iterable<string>,
): SandboxError<"unknown-name"> {
  const names = [...known];
  const suggestion = nearest(name, names);
  const hint = suggestion !== undefined
    ? `did you mean ${quote(suggestion)}?`
    : names.length === 0
    ? "none is loaded"
    : `loaded are ${names.slice(0, 8).map(quote).join(", ")}`;
  return new SandboxError(
    "unknown-name",
    `Cannot use the plugin ${quote(name)}: no plugin has this name (${hint})`,
    {
      details: {
        kind: "plugin",
        name,
        ...(suggestion === undefined ? {} : { suggestion }),
      },
    },
  );
}

/** The error of a version that may not take over. */
export function refused(
  plugin: string,
  reason: string,
  advice: string,
  cause?: unknown,
): SandboxError<"module-refused"> {
  return new SandboxError(
    "module-refused",
    `Cannot load the plugin ${quote(plugin)}: ${printable(reason)} (${advice})`,
    { ...(cause === undefined ? {} : { cause }), details: { reason } },
  );
}

/** The error of a plugin host that is gone. */
export function hostDisposed(): SandboxError<"disposed"> {
  return new SandboxError(
    "disposed",
    "Cannot use the plugin host: it has been disposed",
    { details: { kind: "plugin host" } },
  );
}

/**
 * The same error, to keep. The engine holds on to what the functions of a stack
 * were called on, such as the parser of a module with all of its bytes.
 */
export function kept(error: unknown): Error {
  const copy = SandboxError.is(error)
    ? SandboxError.fromJSON(error.toJSON())
    : new Error(error instanceof Error ? error.message : String(error));
  if (error instanceof Error && error.stack !== undefined) {
    Object.defineProperty(copy, "stack", { value: error.stack });
  }
  return copy;
}
