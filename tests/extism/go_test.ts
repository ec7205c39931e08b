import { assertEquals, assertStringIncludes } from "@std/assert";
import { createPlugin } from "../../wrappers/extism/mod.ts";
import { failure, SHOUT } from "./_plugins.ts";

const SCRIPT = new URL("../../examples/extism/go/build.sh", import.meta.url);

/** Builds the plug-in; undefined where there is no Go, or not its PDK. */
async function build(folder: string): Promise<string | undefined> {
  const output = `${folder}/plugin.wasm`;
  try {
    const { success } = await new Deno.Command(SCRIPT.pathname, {
      args: [output],
      stdout: "null",
      stderr: "null",
    }).output();
    return success ? output : undefined;
  } catch {
    return undefined;
  }
}

const folder = await Deno.makeTempDir();
const built = await build(folder);
const bytes = built === undefined
  ? new Uint8Array()
  : await Deno.readFile(built);
await Deno.remove(folder, { recursive: true });

Deno.test({
  name: "createPlugin() runs a plug-in of Go's PDK",
  ignore: built === undefined,
  async fn() {
    await using go = await createPlugin(bytes, {
      useWasi: true,
      functions: SHOUT,
      config: { greeting: "Moin" },
    });
    assertEquals((await go.call("greet", "Ada"))?.text(), "Moin, Ada!");
    assertEquals((await go.call("remember", "one"))?.text(), "");
    assertEquals((await go.call("remember", "two"))?.text(), "one");
    assertEquals((await go.call("loud", "quiet"))?.text(), "QUIET");
    const words = await go.call("words", '{"Text":"to be or not"}');
    assertEquals(words?.json(), ["to", "be", "or", "not"]);
    const error = await failure(go.call("words", "no json"), "guest-error");
    assertStringIncludes(error.message, "invalid character");
  },
});

Deno.test({
  name:
    "createPlugin() gives a plug-in of Go's PDK files to read, in a process",
  ignore: built === undefined,
  async fn() {
    const data = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(`${data}/note.txt`, "from a file");
      await using go = await createPlugin(bytes, {
        useWasi: true,
        functions: SHOUT,
        allowedPaths: { "/data": `ro:${data}` },
      });
      assertEquals(go.sandbox.isolation, "process");
      assertEquals(
        (await go.call("read", "/data/note.txt"))?.text(),
        "from a file",
      );
      const error = await failure(
        go.call("read", "/etc/passwd"),
        "guest-error",
      );
      assertStringIncludes(error.message, "cannot read");
    } finally {
      await Deno.remove(data, { recursive: true });
    }
  },
});
