/** Clients, and the guests that they call. */

import { Client } from "@modelcontextprotocol/sdk/client";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import { McpServer, type McpServerOptions } from "../../wrappers/mcp_server.ts";

/** The fixtures of the conformance suite, in a guest that describes itself. */
export const FIXTURES = "tests/mcp_server/guests/fixtures.wasm";

/** A guest that means ill. */
export const HOSTILE = "tests/mcp_server/guests/hostile.wasm";

/** Schema of a tool that takes anything. */
export const ANYTHING = { type: "object" };

/** A server of tools that are exports of the hostile guest. */
export function hostileTools(
  names: readonly string[],
  more: Partial<NonNullable<McpServerOptions["tools"]>[string]> = {},
): NonNullable<McpServerOptions["tools"]> {
  return Object.fromEntries(
    names.map((name) => [name, {
      guest: "hostile",
      handler: name,
      inputSchema: ANYTHING,
      ...more,
    }]),
  );
}

/** Makes a server. */
export function serverOf(
  options: Partial<McpServerOptions>,
): Promise<McpServer> {
  return McpServer.create({ name: "test", version: "1.0.0", ...options });
}

/** A client that is connected. */
export interface Peer extends AsyncDisposable {
  readonly client: Client;
}

/** Connects a client in this process. */
export async function inMemory(
  server: McpServer,
  capabilities: Record<string, object> = {},
): Promise<Peer> {
  const [near, far] = InMemoryTransport.createLinkedPair();
  const client = new Client({ name: "test", version: "1.0.0" }, {
    capabilities,
  });
  const connection = await server.connect(near);
  await client.connect(far);
  return {
    client,
    async [Symbol.asyncDispose]() {
      await client.close();
      await connection.closed;
    },
  };
}

/** Connects a client over HTTP. */
export async function overHttp(
  port: number,
  capabilities: Record<string, object> = {},
): Promise<Peer & { readonly transport: StreamableHTTPClientTransport }> {
  const client = new Client({ name: "test", version: "1.0.0" }, {
    capabilities,
  });
  const url = new URL(`http://127.0.0.1:${port}/mcp`);
  const transport = new StreamableHTTPClientTransport(url, {
    // a stream that ends with a cancelled call is not asked for again
    reconnectionOptions: {
      maxRetries: 0,
      initialReconnectionDelay: 1,
      maxReconnectionDelay: 1,
      reconnectionDelayGrowFactor: 1,
    },
  });
  await client.connect(transport);
  return {
    client,
    transport,
    async [Symbol.asyncDispose]() {
      await transport.terminateSession();
      await client.close();
    },
  };
}

/** What is left of a tool's result. */
export interface Called {
  readonly content: readonly {
    readonly type: string;
    readonly text?: string;
  }[];
  readonly isError?: boolean;
  readonly structuredContent?: unknown;
}

/** Calls a tool. */
export async function call(
  { client }: Peer,
  name: string,
  args: Record<string, unknown> = {},
): Promise<Called> {
  return await client.callTool({ name, arguments: args }) as Called;
}

/** The text of a result. */
export function textOf({ content: [first] }: Called): string {
  return first?.text ?? "";
}

/** Clock ticks of CPU that a process has used. */
export function ticksOf(pid: number | "self"): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

/** A message of JSON-RPC as a request. */
export function post(
  body: unknown,
  headers: Record<string, string> = {},
  url = "http://localhost/mcp",
): Request {
  return new Request(url, {
    method: "POST",
    headers: {
      "accept": "application/json, text/event-stream",
      "content-type": "application/json",
      ...headers,
    },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

/** The first message of a session. */
export const INITIALIZE = {
  jsonrpc: "2.0",
  id: 0,
  method: "initialize",
  params: {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "test", version: "1.0.0" },
  },
};

/** Begins a session by hand. */
export async function sessionOf(server: McpServer): Promise<string> {
  const response = await server.fetch(post(INITIALIZE));
  await response.text();
  const id = response.headers.get("mcp-session-id");
  if (id === null) throw new Error(`no session: ${response.status}`);
  return id;
}

/** Headers of a request within a session. */
export function within(session: string): Record<string, string> {
  return {
    "mcp-session-id": session,
    "mcp-protocol-version": "2025-11-25",
  };
}
