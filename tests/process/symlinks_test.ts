import { assertEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../../runtime/process/frames.ts";
import { Symlinks } from "../../runtime/process/symlinks.ts";
import { SecurityPolicy } from "../../security/policy.ts";
import type { Capability } from "../../security/types.ts";

async function withMount(
  work: (folder: string, capabilities: readonly Capability[]) => void,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/in/deep`, { recursive: true });
    const files: Capability & { readonly mounts: unknown } = {
      type: "filesystem",
      mounts: [{
        guest: "/data",
        host: `${folder}/in`,
        access: "read-write",
        symlinks: "within",
      }],
    };
    work(folder, SecurityPolicy.from([files]).capabilities);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("make() makes links that stay inside, even if a child that lies moves them", () =>
  withMount((folder, capabilities) => {
    const mount = "/data";
    const symlinks = new Symlinks(capabilities, false);
    const upwards = { mount, target: "../../secret", path: ["deep", "a"] };
    assertEquals(symlinks.make(upwards), { problem: "PERM" });
    const inside = { mount, target: "../b", path: ["deep", "b"] };
    assertEquals(symlinks.make(inside), { problem: "PERM" });
    const below = { mount, target: "deep/c", path: ["c"] };
    assertEquals(symlinks.make(below), {});
    assertEquals(Deno.readLinkSync(`${folder}/in/c`), "deep/c");
  }));

Deno.test("make() lets links lead upwards where there is nothing outside", () =>
  withMount((folder, capabilities) => {
    const symlinks = new Symlinks(capabilities, true);
    const link = { mount: "/data", target: "../b", path: ["deep", "b"] };
    assertEquals(symlinks.make(link), {});
    assertEquals(Deno.readLinkSync(`${folder}/in/deep/b`), "../b");
    const out = { mount: "/data", target: "../../b", path: ["deep", "c"] };
    assertEquals("problem" in symlinks.make(out), true);
  }));

Deno.test("make() refuses what no honest child asks for", () =>
  withMount((_, capabilities) => {
    const symlinks = new Symlinks(capabilities, true);
    for (
      const question of [
        { mount: "/other", target: "a", path: ["b"] },
        { mount: "/data", target: "a", path: [] },
        { mount: "/data", target: "a", path: ["..", "b"] },
        { mount: "/data", target: "a", path: ["x/y"] },
      ]
    ) assertThrows(() => symlinks.make(question), ProtocolError);
  }));
