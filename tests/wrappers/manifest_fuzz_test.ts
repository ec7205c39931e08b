import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { parseManifest } from "../../wrappers/manifest/mod.ts";
import { Random } from "../v8/_random.ts";
import { mutate } from "../policy/_mutate.ts";
import { probeFactory } from "./_probe.ts";

const WHOLE = `version: 1
probe:
  module: ./app.wasm
  linked: { library: ./library.wasm }
  runtime: v8
  need: [simd]
  isolation: process
  limits: { memoryBytes: 1MiB, timeoutMs: 2s }
  features: { simd: true }
  policy:
    - { type: clock }
    - { type: environment, variables: { LANG: C } }
  abi: { alloc: malloc, free: free }
  maxBytes: 64KiB
  waitMs: 2s
  folder: public
  choice: { size: 1kB }
  tools:
    one: { module: "https://example.com/one.wasm", isolation: process }
`;
/** Longest time that one text may take, in milliseconds, slow machines too. */
const MAX_MS = 1_500;

/** A text gives options or `invalid-manifest`, and nothing else, soon. */
async function check(text: string, format: "yaml" | "json"): Promise<boolean> {
  const start = performance.now();
  let isTaken = true;
  try {
    const { options } = await parseManifest(text, {
      format,
      wrappers: probeFactory(),
      baseDirectory: "/srv",
      read: () => Promise.reject(new Deno.errors.NotFound("no such file")),
    });
    assertEquals(({} as Record<string, unknown>).polluted, undefined);
    assertEquals(typeof options, "object");
  } catch (error) {
    isTaken = false;
    assert(SandboxError.is(error), String(error));
    assert(["invalid-manifest", "invalid-policy"].includes(error.code));
  }
  assertLess(performance.now() - start, MAX_MS);
  return isTaken;
}

function jsonOf(options: unknown): string {
  return JSON.stringify({ version: 1, probe: options }, null, 2);
}

const JSON_WHOLE = jsonOf({
  module: "/app.wasm",
  limits: { memoryBytes: "1MiB" },
  policy: [{ type: "clock" }],
  maxBytes: 65_536,
  tools: { one: { module: "/one.wasm" } },
});

Deno.test("parseManifest() takes or refuses whatever text there is", async () => {
  assert(await check(WHOLE, "yaml"));
  assert(await check(JSON_WHOLE, "json"));
  const random = new Random(11);
  const accepted = { yaml: 0, json: 0 };
  for (let round = 0; round < 800; round++) {
    if (await check(mutate(WHOLE, random), "yaml")) accepted.yaml++;
    if (await check(mutate(JSON_WHOLE, random), "json")) accepted.json++;
  }
  assert(accepted.yaml > 10 && accepted.json > 10, JSON.stringify(accepted));
  assert(accepted.yaml < 700 && accepted.json < 700, JSON.stringify(accepted));
});

Deno.test("parseManifest() takes or refuses whatever bytes there are", async () => {
  const random = new Random(12);
  const whole = new TextEncoder().encode(WHOLE);
  for (let round = 0; round < 300; round++) {
    const bytes = whole.slice();
    for (let step = random.below(4); step >= 0; step--) {
      bytes[random.below(bytes.length)] = random.below(256);
    }
    const input = bytes.subarray(0, random.below(bytes.length + 1));
    await parseManifest(input, {
      wrappers: probeFactory(),
      baseDirectory: "/srv",
    }).catch((error) => assert(SandboxError.is(error), String(error)));
  }
});

Deno.test("parseManifest() is done soon with the longest texts", async () => {
  const size = 262_144;
  const fill = (start: string, part: string, end = "") =>
    start + part.repeat((size - start.length - end.length) / part.length) + end;
  const head = "version: 1\nprobe: ";
  for (
    const text of [
      fill(`${head}{ tools: {`, "a: {}, ", "} }"),
      fill(`${head}{ need: [`, "1, ", "] }"),
      fill(`${head}{ policy: [`, "{type: clock}, ", "] }"),
      fill(`${head}{ module: "`, "x", '" }'),
      fill(`${head}{ maxBytes: "`, "9", '" }'),
      fill(`${head}{ `, "[", " }"),
      fill(`${head}`, "{a: "),
      fill("version: 1\n", "a: 1\n"),
    ]
  ) {
    await check(text, "yaml");
    await check(text, "json");
  }
  const tools = Array.from({ length: 4_000 }, (_, index) => [
    `t${index}`,
    { module: "/a.wasm", policy: "/one.policy.json" },
  ]);
  let reads = 0;
  const { options } = await parseManifest(
    JSON.stringify({
      version: 1,
      probe: { module: "/a.wasm", tools: Object.fromEntries(tools) },
    }),
    {
      format: "json",
      wrappers: probeFactory(),
      read: () => {
        reads++;
        return Promise.resolve(new TextEncoder().encode('{ "version": 1 }'));
      },
    },
  );
  assertEquals(Object.keys(options.tools as object).length, 4_000);
  assertEquals(reads, 1);
});

Deno.test("parseManifest() bounds length and depth", async () => {
  const long = "# \n".repeat(100_000) + WHOLE;
  for (
    const [text, told] of [
      [long, "too long"],
      [`version: 1\nprobe: ${"[".repeat(99)}${"]".repeat(99)}`, "level"],
      ["", ""],
    ] as const
  ) {
    const error = await assertRejects(
      () => parseManifest(text, { wrappers: probeFactory() }),
      SandboxError,
      told,
    );
    assertEquals(error.code, "invalid-manifest");
  }
});
