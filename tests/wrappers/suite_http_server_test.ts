import { testWrapper } from "../../testing/mod.ts";
import { HTTP_SERVER, type HttpServer } from "../../wrappers/http_server.ts";

testWrapper("HttpServer", HTTP_SERVER, {
  options: ({ maxConcurrent: maxInstances, ...guest }) => ({
    ...guest,
    maxInstances,
    format: "json" as const,
  }),
  request: async (server: HttpServer, text) => {
    const request = new Request(`http://localhost/${text}`);
    const response = await server.fetch(request);
    const body = await response.text();
    if (!response.ok) throw new Error(body);
  },
  isDisposed: (error) => String(error).includes("about to end"),
  reply: { status: 200, body: "ok" },
});
