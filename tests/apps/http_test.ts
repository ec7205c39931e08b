import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Language } from "../../examples/apps/build.ts";
import { HttpServer } from "../../wrappers/http_server.ts";
import { openManifest } from "../../wrappers/manifest/mod.ts";
import { manifestOf } from "./_apps.ts";

/** A request, and what must be answered. */
interface Row {
  readonly path: string;
  readonly body?: string;
  readonly status: number;
  readonly type?: string;
  readonly text?: string;
}

const ROWS: Readonly<Record<Language, readonly Row[]>> = {
  c: [
    {
      path: "/?width=20",
      body: "# Über *all*\n\nOne [link](http://x.y) and two words.\n",
      status: 200,
      type: "text/plain; charset=utf-8",
      text: "Über all\n========\n\nOne link\n(http://x.y) and two\nwords.\n",
    },
    { path: "/", body: "", status: 200, text: "" },
    { path: "/?width=2", body: "x", status: 400 },
    { path: "/", status: 405 },
  ],
  go: [
    {
      path: "/?numbers&delimiter=%3B",
      body: 'name;n\n"a;b";1.50\nü;x\n',
      status: 200,
      type: "application/json",
      text: '[{"n":1.50,"name":"a;b"},\n{"n":"x","name":"ü"}]\n',
    },
    { path: "/", body: "", status: 200, text: "[]\n" },
    { path: "/", body: "a,b\n1\n", status: 400 },
    { path: "/?delimiter=ab", body: "a\n", status: 400 },
    { path: "/", status: 405 },
  ],
  js: [
    {
      path: "/?expression=2%2A+%283+-+pi*0%29",
      status: 200,
      type: "application/json",
      text: '{"expression":"2* (3 - pi*0)","result":6}\n',
    },
    {
      path: "/",
      body: "sqrt(16)\n",
      status: 200,
      text: '{"expression":"sqrt(16)","result":4}\n',
    },
    {
      path: "/?expression=1/0",
      status: 400,
      text: '{"error":"the result is Infinity"}\n',
    },
    {
      path: "/?expression=constructor(1)",
      status: 400,
      text: '{"error":"constructor() is not known"}\n',
    },
    { path: "/?expression=%ff", status: 400 },
    { path: "/", status: 400 },
  ],
};

for (const [language, rows] of Object.entries(ROWS)) {
  Deno.test(`the ${language} program is a web handler, over a socket`, async (test) => {
    const manifest = await manifestOf(test, language as Language, "http");
    if (manifest === undefined) return;
    await using server = await openManifest(manifest);
    assert(server instanceof HttpServer);
    await using service = server.serve({ port: 0, hostname: "127.0.0.1" });
    const at = `http://127.0.0.1:${service.address.port}`;
    for (const { path, body, status, type, text } of rows) {
      const init = body === undefined ? {} : { method: "POST", body };
      const answer = await fetch(`${at}${path}`, init);
      const got = await answer.text();
      assertEquals(answer.status, status, `${path} ${got}`);
      if (text !== undefined) assertEquals(got, text);
      if (type !== undefined) {
        assertEquals(answer.headers.get("content-type"), type);
      }
    }
    // several at a time, and a body that is too long
    const [row] = rows;
    const init = row?.body === undefined
      ? {}
      : { method: "POST", body: row.body };
    const many = await Promise.all(
      Array.from({ length: 8 }, async () => {
        return await (await fetch(`${at}${row?.path}`, init)).text();
      }),
    );
    assertEquals(new Set(many), new Set([row?.text ?? ""]));
    const long = await fetch(at, {
      method: "POST",
      body: "x".repeat(2 * 2 ** 20),
    });
    assertEquals(long.status, 413);
    assertStringIncludes(await long.text(), '"status":413');
  });
}
