import { testWrapper } from "../../testing/mod.ts";
import { MCP_SERVER, type McpServer } from "../../wrappers/mcp_server.ts";
import { ANYTHING, call, inMemory, textOf } from "../mcp_server/_peers.ts";

testWrapper("McpServer", MCP_SERVER, {
  options: ({ maxConcurrent: maxConcurrentCalls, ...guest }) => {
    const tool = { handler: "handle", inputSchema: ANYTHING };
    const tools = { tested: { ...guest, ...tool, maxConcurrentCalls } };
    return { name: "test", version: "1.0.0", tools };
  },
  request: async (server: McpServer, text) => {
    await using peer = await inMemory(server);
    const result = await call(peer, "tested", { text });
    if (result.isError) throw new Error(textOf(result));
  },
});
