import { assertEquals, assertThrows } from "@std/assert";
import CONFIG from "../../deno.json" with { type: "json" };
import {
  checkoutUrl,
  projectImports,
} from "../../templates/_shared/imports.ts";
import { CHECKOUT } from "./_generated.ts";

Deno.test("projectImports() names the package of JSR", () => {
  assertEquals(projectImports({}, ["@std/assert"]), {
    imports: {
      "@std/assert": CONFIG.imports["@std/assert"],
      "@wasm-sandbox/core": `jsr:@wasm-sandbox/core@^${CONFIG.version}`,
    },
    scopes: null,
  });
});

Deno.test("projectImports() names all exports of a checkout", () => {
  const { href } = checkoutUrl(CHECKOUT);
  for (const link of [CHECKOUT, `${CHECKOUT}/`, href]) {
    const { imports } = projectImports({ link });
    for (const [entry, file] of Object.entries(CONFIG.exports)) {
      const name = `@wasm-sandbox/core${entry.slice(1)}`;
      assertEquals(imports[name], new URL(file, href).href);
    }
  }
});

Deno.test("projectImports() refuses what is no checkout", () => {
  for (
    const link of [
      "",
      "x",
      "../x",
      "/",
      `${CHECKOUT}/tests`,
      "file:",
      "https://a/b",
      "\0",
    ]
  ) {
    assertThrows(() => projectImports({ link }), TypeError, "checkout", link);
  }
});

Deno.test("checkoutUrl() takes paths of all systems", () => {
  for (
    const [path, url] of [
      ["/a b/c#d?e%", "file:///a%20b/c%23d%3Fe%25/"],
      ["C:\\work\\it", "file:///C:/work/it/"],
      ["file:///work/it", "file:///work/it/"],
    ] as const
  ) {
    assertEquals(checkoutUrl(path).href, url);
  }
});
