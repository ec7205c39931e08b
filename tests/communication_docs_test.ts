/**
 * What docs/communication.md says byte by byte is what is sent.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import {
  FAULT_STATUS,
  type FaultStatus,
  GuestFault,
  json,
  RPC_ERRORS,
  RpcChannel,
} from "../communication/mod.ts";

const DOCUMENT = new URL("../docs/communication.md", import.meta.url);

/** The cells of the row of a table that begins with a word. */
async function row(first: string): Promise<readonly string[]> {
  const text = await Deno.readTextFile(DOCUMENT);
  const line = text.split("\n").find((line) =>
    line.startsWith("|") && line.slice(1).trim().startsWith(first)
  );
  assert(line !== undefined, `no row begins with ${first}`);
  return line.split("|").slice(1, -1).map((cell) => cell.trim());
}

Deno.test("RpcPeer sends the frames of the document", async () => {
  await using channel = new RpcChannel({
    host: { methods: { add: () => 5 } },
  });
  const frame = async () => {
    const bytes = json.encode(await channel.receive());
    return `\`${new TextDecoder().decode(bytes)}\``;
  };
  const stop = new AbortController();
  const { signal } = stop;
  const waiting = channel.host.request("add", [2, 3], { signal });
  assertEquals((await row("request "))[1], await frame());
  stop.abort(new Error("enough"));
  await waiting.catch(() => {});
  assertEquals((await row("cancellation "))[1], await frame());
  await channel.host.notify("add", [2, 3]);
  assertEquals((await row("notification "))[1], await frame());
  await channel.sendResult({ jsonrpc: "2.0", id: 1, method: "add" });
  assertEquals((await row("result "))[1], await frame());
  await channel.sendResult({ jsonrpc: "2.0", id: 1, method: "subtract" });
  assertEquals((await row("error "))[1], await frame());
});

Deno.test("RPC_ERRORS are those of the document", async () => {
  for (const [name, number] of Object.entries(RPC_ERRORS)) {
    const [, title] = await row(`−${-number} `);
    assertEquals(title, `\`${name}\``);
  }
});

Deno.test("GuestFault has the numbers of the document", async () => {
  const [, , text = ""] = await row("−32010 ");
  await using channel = new RpcChannel({
    host: {
      methods: {
        fail(params) {
          const [status] = params as [FaultStatus];
          throw new GuestFault(status, "so it is");
        },
      },
    },
  });
  for (const status of Object.keys(FAULT_STATUS)) {
    const call = { id: 1, method: "fail", params: [status] };
    await channel.sendResult({ jsonrpc: "2.0", ...call });
    const { error } = await channel.receive() as { error: { code: number } };
    assert(text.includes(`−${-error.code} \`${status}\``), status);
  }
});
