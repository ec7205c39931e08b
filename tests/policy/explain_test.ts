import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { explainPolicy, parsePolicy } from "../../security/policy_file/mod.ts";
import { WHOLE } from "./_policy.ts";

Deno.test("explainPolicy() says what is granted, what not, and the limits", () => {
  const { grants, notGranted, limits, isolation, notProtected } = explainPolicy(
    parsePolicy(WHOLE, { baseDirectory: "/srv" }),
  );
  assert(grants.some((each) => each.includes('"/srv/data", seen as "/data"')));
  assertEquals(notGranted, []);
  assert(limits.some((each) => each.endsWith("memories together: 64 MiB.")));
  assert(limits.some((each) => each.endsWith("1 MiB (default).")));
  assertStringIncludes(isolation, "a process of its own");
  assert(notProtected.length > 3);
  const strict = explainPolicy(parsePolicy("version: 1"));
  assertEquals(strict.grants, ["It may only compute."]);
  assertEquals(strict.notGranted.length, 9);
  assertEquals(strict.denoFlags, []);
});

Deno.test("explainPolicy() gives the flags of Deno, and those of the child", () => {
  const { denoFlags, childFlags } = explainPolicy(parsePolicy(`version: 1
capabilities:
  - type: filesystem
    mounts:
      - { guest: /a, host: /srv/a }
      - { guest: /b, host: "/srv/b c", access: read-write }
      - { guest: /tmp, memory: true }
  - { type: network, hosts: [example.org] }
  - { type: environment, variables: { A: b }, pass: [HOME, LANG] }
`));
  assertEquals(denoFlags, [
    "--allow-read=/srv/a,/srv/b c",
    "--allow-write=/srv/b c",
    "--allow-net=example.org:443",
    "--allow-env=HOME,LANG",
  ]);
  assertEquals(childFlags, denoFlags.slice(0, 2));
});

Deno.test("explainPolicy() names no directory that Deno would part or cut", () => {
  const { denoFlags, notNameable } = explainPolicy(parsePolicy(`version: 1
capabilities:
  - { type: filesystem, mounts: [
      { guest: /a, host: "/srv/a,/etc" }, { guest: /b, host: "/srv/b\\n" }] }
`));
  assertEquals(denoFlags, []);
  assertEquals(notNameable, ["/srv/a,/etc", "/srv/b\n"]);
});

Deno.test("explainPolicy() gives flags that permit the grants and no more", async () => {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  try {
    await Deno.mkdir(`${folder}/in a`);
    await Deno.writeTextFile(`${folder}/in a/x`, "inside");
    await Deno.writeTextFile(`${folder}/y`, "outside");
    const { denoFlags } = explainPolicy(parsePolicy(
      `version: 1
capabilities:
  - { type: filesystem, mounts: [{ guest: /a, host: in a }] }
  - { type: environment, pass: [LANG] }
`,
      { baseDirectory: folder },
    ));
    const program = `
      const state = (call) => { try { call(); return "allowed"; } catch (e) { return e.name; } };
      console.log(
        state(() => Deno.readTextFileSync(${
      JSON.stringify(folder)
    } + "/in a/x")),
        state(() => Deno.writeTextFileSync(${
      JSON.stringify(folder)
    } + "/in a/x", "")),
        state(() => Deno.readTextFileSync(${JSON.stringify(folder)} + "/y")),
        state(() => Deno.env.get("LANG")),
        state(() => Deno.env.get("HOME")),
      );`;
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-prompt",
        "--no-config",
        ...denoFlags,
        `data:text/javascript,${encodeURIComponent(program)}`,
      ],
      env: { NO_COLOR: "1" },
    }).output();
    assertEquals(
      new TextDecoder().decode(stdout).trim(),
      "allowed NotCapable NotCapable allowed NotCapable",
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
