/** The options of a server, with what was left out. */

import { MCP_DEFAULTS } from "./schema.ts";
import type { McpErrorContext, McpServerOptions } from "./types.ts";

/** Options with their defaults. */
export type FullOptions =
  & McpServerOptions
  & { readonly [K in keyof typeof MCP_DEFAULTS]: Defaulted<K> };

type Defaulted<K extends keyof typeof MCP_DEFAULTS> = K extends "path" ? string
  : number;

/** What a server goes by. */
export interface Settings {
  readonly options: FullOptions;
  /** Tells whoever made the server; what that throws hurts nobody. */
  readonly tell: (error: unknown, about: McpErrorContext) => void;
}

/** Completes options. */
export function settingsOf(given: McpServerOptions): Settings {
  const defined = Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  ) as unknown as McpServerOptions;
  const { onError } = defined;
  return {
    options: { ...MCP_DEFAULTS, ...defined },
    tell: (error, about) => {
      try {
        onError?.(error, about);
      } catch {
        // whoever listens is to blame, and is not asked again
      }
    },
  };
}
