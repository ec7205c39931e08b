/**
 * A liar in the place of a guest's process.
 *
 * @module
 */

import type { Launch } from "../../runtime/process/launch.ts";
import type { ProcessSource } from "../../runtime/process/process_source.ts";
import { open, type OpenOptions } from "./_process.ts";

/** Any bytes: the liar does not look. */
export const MODULE = new Uint8Array(64);

/** Starts the liar instead of the real program. */
export function evil(what: string): Launch {
  return {
    command: Deno.execPath(),
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      "--v8-flags=--max-old-space-size=64",
      import.meta.resolve("./evil.ts"),
      what,
    ],
    env: { NO_COLOR: "1", HOME: Deno.env.get("HOME") ?? "/" },
    report: {
      filesystem: "none",
      parentDeath: "watcher",
      dataBytes: undefined,
      cpuSeconds: undefined,
      noNewPrivileges: false,
    },
    key: what,
  };
}

/** Opens a module in it. */
export function openEvil(
  what: string,
  options: OpenOptions = {},
): Promise<ProcessSource> {
  return open(MODULE, {
    launch: evil(what),
    limits: { hostCalls: 1_000 },
    imports: { host: { twice: (value: number) => 2 * value, limit: 5 } },
    ...options,
  });
}
