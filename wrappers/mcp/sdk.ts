/**
 * What is used of the official SDK: loaded when it is used. Its types are found
 * under names without an ending, and its code under names with one.
 */

import type * as server from "@modelcontextprotocol/sdk/server";
import type * as http from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp";
import type * as types from "@modelcontextprotocol/sdk/types";

/** The parts of the SDK. */
export interface Sdk {
  readonly Server: typeof server.Server;
  readonly HttpTransport: typeof http.WebStandardStreamableHTTPServerTransport;
  readonly types: typeof types;
}

/**
 * Loads the SDK: some hundred milliseconds, the first time.
 *
 * @returns Its parts.
 */
export async function loadSdk(): Promise<Sdk> {
  const [server, http, types] = await Promise.all([
    import("@modelcontextprotocol/sdk/server/index.js"),
    import("@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js"),
    import("@modelcontextprotocol/sdk/types.js"),
  ]);
  return {
    Server: server.Server,
    HttpTransport: http.WebStandardStreamableHTTPServerTransport,
    types,
  };
}
