import { assertEquals } from "@std/assert";
import { withoutAbortWarning } from "../../cli/abort_warning.ts";

Deno.test("withoutAbortWarning() keeps one warning of Deno's from the user", async () => {
  const target = console;
  const { warn } = target;
  const warned: unknown[] = [];
  const own = (...data: unknown[]) => void warned.push(...data);
  target.warn = own;
  try {
    {
      using _console = withoutAbortWarning();
      await using server = Deno.serve(
        { port: 0, hostname: "127.0.0.1", onListen: () => {} },
        async ({ signal }) => {
          // Deno warns of nothing that is answered at once
          await new Promise((resolve) => setTimeout(resolve, 10));
          return new Response(String(signal.aborted));
        },
      );
      const answer = await fetch(`http://127.0.0.1:${server.addr.port}/`);
      assertEquals(await answer.text(), "false");
      target.warn("another");
    }
    assertEquals([warned, target.warn], [["another"], own]);
  } finally {
    target.warn = warn;
  }
});
