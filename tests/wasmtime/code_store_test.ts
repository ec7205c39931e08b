import { assert, assertEquals, assertRejects } from "@std/assert";
import { SandboxError } from "../../errors.ts";
import { wat } from "../wasm.ts";
import { open, testOnWasmtime } from "./_wasmtime.ts";

/** A module that nobody else compiles here, so that it is in no cache. */
async function moduleOf(answer: number): Promise<Uint8Array<ArrayBuffer>> {
  return await wat(`(module (func (export "answer") (result i32)
    (i32.const ${answer})))`);
}

/** Compiles a module, and tells what it answers. */
async function answerOf(
  bytes: Uint8Array<ArrayBuffer>,
  cacheDir: string,
): Promise<unknown> {
  await using runtime = await open({ cacheDir });
  const module = await runtime.compile(bytes);
  await using instance = await runtime.instantiate(module);
  return await instance.call("answer", []);
}

async function entriesOf(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  return entries.map(({ name }) => `${folder}/${name}`).sort();
}

async function inFolder(run: (folder: string) => Promise<void>) {
  const parent = await Deno.makeTempDir();
  try {
    await run(`${parent}/cache`);
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
}

const DAMAGE: Readonly<
  Record<string, (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>>
> = {
  "a bit of its code": (bytes) => {
    const at = bytes.length - 100;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    return bytes;
  },
  "a bit of its seal": (bytes) => {
    bytes[3] = (bytes[3] ?? 0) ^ 1;
    return bytes;
  },
  "its end": (bytes) => bytes.slice(0, bytes.length / 2),
  "everything": () => new Uint8Array(),
  "its length": (bytes) => new Uint8Array([...bytes, 0]),
};

testOnWasmtime(
  "CodeStore keeps code that only the user may read",
  () =>
    inFolder(async (folder) => {
      assertEquals(await answerOf(await moduleOf(987001), folder), 987001);
      const [entry = "", ...others] = await entriesOf(folder);
      assertEquals(others, []);
      assertEquals(((await Deno.stat(folder)).mode ?? 0) & 0o777, 0o700);
      assertEquals(((await Deno.stat(entry)).mode ?? 0) & 0o777, 0o600);
    }),
);

/** Makes an entry, changes it, and has it looked for by another process. */
async function afterChange(
  folder: string,
  change: (entry: string) => Promise<void>,
): Promise<{ readonly answer: string; readonly wasUsed: boolean }> {
  const program = new URL("code_store_probe.ts", import.meta.url).pathname;
  const probe = async () => {
    const { stdout, stderr, success } = await new Deno.Command(
      Deno.execPath(),
      {
        args: ["run", "-A", "--quiet", "--no-lock", program, folder],
        env: { NO_COLOR: "1" },
      },
    ).output();
    assert(success, new TextDecoder().decode(stderr));
    return new TextDecoder().decode(stdout).trim();
  };
  assertEquals(await probe(), "42");
  const [entry = ""] = await entriesOf(folder);
  await change(entry);
  const before = await Deno.lstat(entry).catch(() => undefined);
  const answer = await probe();
  const after = await Deno.lstat(entry);
  return { answer, wasUsed: before?.ino === after.ino };
}

testOnWasmtime(
  "CodeStore uses what it has kept",
  () =>
    inFolder(async (folder) => {
      const { answer, wasUsed } = await afterChange(folder, async () => {});
      assertEquals({ answer, wasUsed }, { answer: "42", wasUsed: true });
    }),
);

testOnWasmtime(
  "CodeStore passes over what it cannot trust, and makes it anew",
  async (t) => {
    for (const [name, damage] of Object.entries(DAMAGE)) {
      await t.step(name, () =>
        inFolder(async (folder) => {
          const { answer, wasUsed } = await afterChange(
            folder,
            async (entry) => {
              const bytes = await Deno.readFile(entry);
              await Deno.writeFile(entry, damage(bytes));
            },
          );
          assertEquals({ answer, wasUsed }, { answer: "42", wasUsed: false });
        }));
    }
    await t.step("that others may write", () =>
      inFolder(async (folder) => {
        const { answer, wasUsed } = await afterChange(
          folder,
          (entry) => Deno.chmod(entry, 0o666),
        );
        assertEquals({ answer, wasUsed }, { answer: "42", wasUsed: false });
      }));
    await t.step("a link to it", () =>
      inFolder(async (folder) => {
        const { answer, wasUsed } = await afterChange(folder, async (entry) => {
          await Deno.rename(entry, `${folder}/../aside`);
          await Deno.symlink(`${folder}/../aside`, entry);
        });
        assertEquals({ answer, wasUsed }, { answer: "42", wasUsed: false });
      }));
  },
);

testOnWasmtime(
  "CodeStore refuses a folder that is not only the user's",
  () =>
    inFolder(async (folder) => {
      await Deno.mkdir(folder);
      await Deno.chmod(folder, 0o777);
      const error = await assertRejects(() => open({ cacheDir: folder }));
      assert(SandboxError.is(error, "runtime-unavailable"), String(error));
      assert(error.message.includes("cacheDir"), error.message);
      await Deno.remove(folder);
      await Deno.writeTextFile(folder, "");
      await assertRejects(() => open({ cacheDir: folder }), SandboxError);
    }),
);
