import { assertEquals } from "@std/assert";
import { terminalStream } from "../../wrappers/tool/terminal.ts";

Deno.test("terminalStream() escapes what a terminal would obey", async () => {
  let shown = "";
  const stream = terminalStream((text) => {
    shown += text;
    return Promise.resolve();
  });
  const writer = stream.getWriter();
  const text = "a\tb\r\nc\rd\x1b[2J\u009b1m\u202eé क्‍ष\x07\ufeff\n";
  // a byte at a time, through the middle of characters
  for (const byte of new TextEncoder().encode(text)) {
    await writer.write(Uint8Array.of(byte));
  }
  assertEquals(
    shown,
    "a\tb\\u{d}\nc\\u{d}d\\u{1b}[2J\\u{9b}1m\\u{202e}é क्‍ष\\u{7}\\u{feff}\n",
  );
  shown = "";
  await writer.write(new TextEncoder().encode("a\r\nb\r"));
  assertEquals(shown, "a\r\nb\\u{d}");
});
