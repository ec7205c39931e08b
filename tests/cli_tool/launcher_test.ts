import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { launcherText, ownCli } from "../../wrappers/tool/install/launcher.ts";
import { placesOf } from "../../wrappers/tool/install/places.ts";

const LAUNCH = {
  places: placesOf({ directory: "/opt/100% & <x>", name: "app" }),
  deno: "/opt/deno",
  cli: "jsr:@wasm-sandbox/core@1.0.0/cli",
  flags: ["--allow-read=/a b"],
};

Deno.test("a command of Windows quotes as cmd.exe does", () => {
  const text = launcherText(LAUNCH, true);
  assertEquals(text.split("\r\n").at(0), "@echo off");
  assertStringIncludes(text, ' "--allow-read=/a b" ');
  assertStringIncludes(text, '"/opt/100%% & <x>/.app.wasm-sandbox/tool.json"');
  assertStringIncludes(text, ' "--" %*\r\n');
  const quoted = { ...LAUNCH, deno: 'C:\\a"b' };
  assertThrows(() => launcherText(quoted, true), TypeError, "quoted");
});

Deno.test("a command starts the package that it came with", () => {
  assertEquals(ownCli("https://jsr.io/@wasm-sandbox/core/1.2.3/cli.ts"), {
    cli: "jsr:@wasm-sandbox/core@1.2.3/cli",
    flags: ["--no-config"],
  });
  assertEquals(ownCli("https://example.com/core/cli.ts"), {
    cli: "https://example.com/core/cli.ts",
    flags: ["--no-config"],
  });
  if (Deno.build.os === "windows") return;
  assertEquals(ownCli("file:///a%20b/cli.ts"), {
    cli: "/a b/cli.ts",
    flags: ["--config=/a b/deno.json"],
  });
});
