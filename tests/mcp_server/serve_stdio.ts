/** Runs the server of a manifest over the standard streams. */

import { openManifest } from "../../wrappers/manifest/mod.ts";
import { McpServer } from "../../wrappers/mcp_server.ts";

const [path = ""] = Deno.args;
await using server = await openManifest(path);
if (!(server instanceof McpServer)) throw new TypeError("no MCP server");
await using connection = await server.serveStdio();
await connection.closed;
