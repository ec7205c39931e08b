/** The options of an HTTP server, once they were checked. */

import type { ResourceLimits } from "../../security/limits.ts";
import { LIMIT_TABLE } from "../../security/limit_table.ts";
import { longestHead } from "./head.ts";
import { HTTP_DEFAULTS } from "./schema.ts";
import type { HttpServerOptions } from "./types.ts";

/** What a server is made with, defaults filled in. */
export type Settings =
  & HttpServerOptions
  & Required<Pick<HttpServerOptions, keyof typeof HTTP_DEFAULTS>>
  & {
    /** Names of the options that were given. */
    readonly given: ReadonlySet<string>;
  };

/**
 * Fills in what was left out.
 *
 * @param options The options, checked.
 * @returns The settings.
 */
export function settingsOf(options: HttpServerOptions): Settings {
  const given = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as unknown as HttpServerOptions;
  return {
    ...HTTP_DEFAULTS,
    ...given,
    given: new Set(Object.keys(given)),
  };
}

/** A character in JSON takes up to six bytes: `\u0000`. */
const LONGEST_ESCAPE = 6;

/**
 * The limits of each guest: those that have to do with a request are as large
 * as the server's own bounds, unless they are given.
 *
 * @param settings The settings.
 * @returns The limits.
 */
export function limitsOf(settings: Settings): ResourceLimits {
  const { maxRequestBytes, maxResponseBytes, format } = settings;
  const head = longestHead(settings);
  // a request may be all escapes; so may a reply, but reading it takes the time
  // of all others, so that its JSON is no longer than its body may be
  const request = maxRequestBytes * (format === "json" ? LONGEST_ESCAPE : 1);
  return {
    messageBytes: cut(
      "messageBytes",
      head + Math.max(request, maxResponseBytes),
    ),
    stdinBytes: cut("stdinBytes", maxRequestBytes),
    stdoutBytes: cut("stdoutBytes", maxResponseBytes + head),
    streamBytes: cut("streamBytes", maxRequestBytes + maxResponseBytes),
    ...settings.limits,
  };
}

function cut(name: keyof typeof LIMIT_TABLE, bytes: number): number {
  return Math.min(bytes, LIMIT_TABLE[name].max);
}
