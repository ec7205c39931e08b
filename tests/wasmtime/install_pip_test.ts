import { assert, assertEquals, assertMatch } from "@std/assert";
import { WASMTIME_VERSION } from "../../runtime/wasmtime/checksums.ts";
import { isPinnedFile } from "../../runtime/wasmtime/verify.ts";
import { pinnedLibrary, wasmtimeTest } from "../_wasmtime.ts";
import {
  filesIn,
  makeWorld,
  PINNED,
  probe,
  WHEEL_MEMBER,
  type World,
  zip,
} from "./_install.ts";

/** Puts a program into the only folder where programs are looked for. */
async function program(world: World, name: string, script: string) {
  const path = `${world.folder}/${name}`;
  const text = `#!/bin/sh\nPATH=/usr/bin:/bin\n${script}\n`;
  await Deno.writeTextFile(path, text, { mode: 0o755 });
}

/** A pip that gives a wheel that is there already. */
async function pip(world: World, wheel: Uint8Array<ArrayBuffer>) {
  await Deno.writeFile(`${world.folder}/given`, wheel);
  await program(
    world,
    "pip3",
    `echo "$@" > ${world.folder}/args
    for arg in "$@"; do case $arg in --dest=*)
      cp ${world.folder}/given "\${arg#--dest=}/wasmtime.whl";; esac; done`,
  );
}

async function install(world: World, options: Record<string, unknown> = {}) {
  const temp = `${world.folder}/temp`;
  await Deno.mkdir(temp, { recursive: true });
  const { cacheDir, folder } = world;
  const given = { from: "pip", cacheDir, ...options };
  const outcome = await probe("./install_probe.ts", {
    args: [JSON.stringify(given)],
    env: { PATH: folder, TMPDIR: temp },
  });
  assertEquals(await filesIn(temp), [], "nothing is left behind");
  return outcome;
}

wasmtimeTest("installWasmtime() takes the library out of a wheel", async () => {
  await using world = await makeWorld();
  const content = await pinnedLibrary();
  await pip(world, await zip([{ name: WHEEL_MEMBER, content }]));
  await program(world, "python3", "echo No module named pip >&2; exit 1");
  const { installed } = await install(world);
  const { path } = world;
  assertEquals(installed, { path, version: WASMTIME_VERSION, from: "pip" });
  assert(await isPinnedFile(path, PINNED));
  const args = await Deno.readTextFile(`${world.folder}/args`);
  assertMatch(args, /^download wasmtime==49\.0\.0 --no-deps --only-binary=/);
});

const WRONG = new Uint8Array(PINNED.bytes);
const WHEELS: Readonly<
  Record<string, readonly [() => Promise<Uint8Array<ArrayBuffer>>, RegExp]>
> = {
  "another library": [
    () => zip([{ name: WHEEL_MEMBER, content: WRONG }]),
    /its checksum is another/,
  ],
  "a library that goes on and on": [
    () => zip([{ name: WHEEL_MEMBER, content: new Uint8Array(2 ** 28) }]),
    /its length is another/,
  ],
  "no library": [
    () => zip([{ name: `../${WHEEL_MEMBER}`, content: WRONG }]),
    /the archive has no "wasmtime\//,
  ],
  "nothing": [() => zip([]), /the archive has no/],
  "no directory": [
    () => Promise.resolve(new Uint8Array(100)),
    /the archive is broken: it has no directory/,
  ],
  "a directory that points beyond it": [
    async () => (await zip([{ name: WHEEL_MEMBER, content: WRONG }])).slice(99),
    /the archive is broken/,
  ],
};

for (const [name, [wheel, expected]] of Object.entries(WHEELS)) {
  Deno.test(`installWasmtime() refuses a wheel with ${name}`, async () => {
    await using world = await makeWorld();
    await pip(world, await wheel());
    const { code, message } = await install(world);
    assertEquals(code, "runtime-unavailable");
    assertMatch(message, expected);
    assertEquals(await filesIn(world.cacheDir), []);
  });
}

Deno.test("installWasmtime() says why pip cannot do it", async () => {
  const rows = [
    [
      "echo first >&2; echo 'no network\x1b[2J' >&2; exit 1",
      /pip could not download it: no network\\u\{1b\}/,
    ],
    ["exit 0", /pip says that it went well, and there is no wheel/],
  ] as const;
  for (const [script, expected] of rows) {
    await using world = await makeWorld();
    await program(world, "pip", script);
    assertMatch((await install(world)).message, expected);
  }
  await using world = await makeWorld();
  assertMatch(
    (await install(world)).message,
    /no pip is at hand: none of python3 -m pip, .* can be run/,
  );
});

Deno.test("installWasmtime() tells both reasons if both ways fail", async () => {
  await using world = await makeWorld();
  const options = { from: "auto", baseUrl: world.url };
  assertMatch(
    (await install(world, options)).message,
    /from the archive: .*answers 404; from pip: no pip is at hand/,
  );
});

Deno.test("installWasmtime() leaves no pip running that takes too long", async () => {
  await using world = await makeWorld();
  const { folder } = world;
  await program(world, "pip", `echo $$ > ${folder}/pid; exec sleep 1000`);
  const { message } = await install(world, { timeoutMs: 1_000 });
  assertMatch(message, /it took longer than 1000 ms/);
  const pid = Number(await Deno.readTextFile(`${folder}/pid`));
  // the signal is on its way; the process need not be gone at once
  for (let tries = 0; tries < 100 && await isThere(pid); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assertEquals(await isThere(pid), false);
});

async function isThere(pid: number): Promise<boolean> {
  const { success } = await new Deno.Command("kill", {
    args: ["-0", String(pid)],
    stderr: "null",
  }).output();
  return success;
}
