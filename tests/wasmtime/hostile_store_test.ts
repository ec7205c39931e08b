import { assertEquals } from "@std/assert";
import { WasmtimeRuntime } from "../../runtime/wasmtime/mod.ts";
import { wasmtimeTest } from "../_wasmtime.ts";
import { wat } from "../wasm.ts";

const answering = (answer: number) =>
  wat(`(module (func (export "f") (result i32) (i32.const ${answer})))`);

/** Calls a module in a runtime of its own, whose code comes from the folder. */
async function ask(cacheDir: string, answer: number): Promise<unknown> {
  await using runtime = await WasmtimeRuntime.open({ cacheDir });
  const module = await runtime.compile(await answering(answer));
  await using instance = await runtime.instantiate(module);
  return instance.callSync("f", []);
}

async function entries(folder: string, suffix: string): Promise<string[]> {
  const names = (await Array.fromAsync(Deno.readDir(folder))).map((each) =>
    each.name
  );
  return names.filter((name) => name.endsWith(suffix)).sort();
}

wasmtimeTest("a cacheDir holds no more than its bounds", async () => {
  if (Deno.build.os === "windows") return;
  const folder = await Deno.makeTempDir();
  try {
    await Deno.chmod(folder, 0o700);
    const stale = `${folder}/${crypto.randomUUID()}.tmp`;
    const recent = `${folder}/${crypto.randomUUID()}.tmp`;
    const long = new Date(Date.now() - 86_400_000);
    for (const path of [stale, recent]) {
      await Deno.writeFile(path, new Uint8Array(9));
    }
    await Deno.utime(stale, long, long);
    for (let count = 0; count < 3; count++) {
      // takes no room on the disk, but counts
      const path = `${folder}/${count}.cwasm`;
      await Deno.writeFile(path, new Uint8Array(), { mode: 0o600 });
      await Deno.truncate(path, 400 * 2 ** 20);
      await Deno.utime(path, long, new Date(long.getTime() + count * 1000));
    }
    assertEquals(await ask(folder, 70_001), 70_001);
    const kept = await entries(folder, ".cwasm");
    // the oldest has gone
    assertEquals(kept.includes("0.cwasm"), false);
    assertEquals(kept.includes("2.cwasm"), true);
    assertEquals(await entries(folder, ".tmp"), [
      recent.slice(folder.length + 1),
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

wasmtimeTest(
  "a cacheDir in which entries were exchanged is passed over",
  async () => {
    if (Deno.build.os === "windows") return;
    const folder = await Deno.makeTempDir();
    try {
      await Deno.chmod(folder, 0o700);
      assertEquals(await ask(folder, 70_002), 70_002);
      const [first = ""] = await entries(folder, ".cwasm");
      assertEquals(await ask(folder, 70_003), 70_003);
      const second = (await entries(folder, ".cwasm")).find((each) =>
        each !== first
      ) ?? "";
      await Deno.copyFile(`${folder}/${first}`, `${folder}/${second}`);
      // in a program of its own: this one has the code in memory
      const program = `${folder}/program.ts`;
      await Deno.writeTextFile(
        program,
        `import { WasmtimeRuntime } from ${
          JSON.stringify(import.meta.resolve("../../runtime/wasmtime/mod.ts"))
        };
      await using runtime = await WasmtimeRuntime.open({ cacheDir: ${
          JSON.stringify(folder)
        } });
      const bytes = Uint8Array.fromHex("${(await answering(70_003)).toHex()}");
      const module = await runtime.compile(bytes);
      await using instance = await runtime.instantiate(module);
      console.log(instance.callSync("f", []));`,
      );
      const { code, stdout } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--quiet", "--no-config", "--no-check", "-A", program],
      }).output();
      assertEquals(code, 0);
      assertEquals(new TextDecoder().decode(stdout).trim(), "70003");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
