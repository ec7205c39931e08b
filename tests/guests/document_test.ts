import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { FAULT_STATUS } from "../../communication/fault.ts";
import { GuestImports } from "../../communication/guest_imports.ts";
import { PlainHost } from "./_plain_host.ts";
import { openToolbox } from "./_toolbox.ts";

const DOCUMENT = await Deno.readTextFile(
  new URL("../../docs/guest-abi.md", import.meta.url),
);

/** Rows of the table whose first column is called so, without their padding. */
function table(firstColumn: string): readonly (readonly string[])[] {
  const lines = DOCUMENT.split("\n").map((line) =>
    line.split("|").slice(1, -1).map((cell) => cell.trim())
  );
  const at = lines.findIndex(([first]) => first === firstColumn);
  const rest = lines.slice(at + 2);
  return rest.slice(0, rest.findIndex(({ length }) => length === 0));
}

function types(text = ""): string {
  return [...text.matchAll(/i32|i64/g)].join();
}

Deno.test("docs/guest-abi.md lists the functions that a host has", () => {
  const { module } = new GuestImports({
    services: () => {
      throw new Error("nobody asks");
    },
    limits: { messageBytes: 0 },
  });
  const signatures = Object.entries(module.signatures);
  const rows = table("name");
  assertEquals(rows.length, signatures.length);
  for (const [name, { params, results }] of signatures) {
    const [, type, , waits] = rows.find(([first]) => first === `\`${name}\``) ??
      [];
    assert(type !== undefined, name);
    const [given, got] = type.replaceAll("`", "").split(" -> ");
    assertEquals(types(given), params.join(), name);
    assertEquals(types(got), results.join(), name);
    const suspends = module.suspending?.includes(name) ?? false;
    assertEquals(waits, suspends ? "yes" : "no", name);
  }
});

Deno.test("docs/guest-abi.md lists the statuses of faults", () => {
  const rows = table("status").slice(1).map(([status, name = ""]) => [
    name.replaceAll("`", ""),
    Number(status),
  ]);
  assertEquals(Object.fromEntries(rows), { ...FAULT_STATUS });
});

Deno.test("docs/guest-abi.md shows a call as it is", async () => {
  await using toolbox = await openToolbox("c");
  assert(toolbox !== undefined);
  const module = await WebAssembly.compile(
    await Deno.readFile(toolbox.module),
  );
  const hex = (text: string) =>
    Array.from(
      new TextEncoder().encode(text),
      (byte) => byte.toString(16).padStart(2, "0"),
    ).join(" ");
  const steps: string[] = [];
  const guest = new PlainHost(module, {
    call(name, input) {
      const text = new TextDecoder().decode(input);
      steps.push(`name  ${hex(name)}`, `input ${hex(text)}`);
      return { status: 0, bytes: '"red"' };
    },
  });
  assertEquals(guest.json("lookup", "a"), "red");
  steps.push(hex('"red"'), "-> 00000000 00000005");
  for (const step of steps) assertStringIncludes(DOCUMENT, step);

  const document = '{"code":"unknown","message":"no a"}';
  const shown = hex(document).replaceAll(/(.{47}) /g, "$1\n").split("\n");
  for (const line of shown) assertStringIncludes(DOCUMENT, line);
  const length = document.length.toString(16).padStart(8, "0");
  assertStringIncludes(DOCUMENT, `-> 00000002 ${length}`);
});
