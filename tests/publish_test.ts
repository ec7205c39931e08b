import { assert, assertEquals } from "@std/assert";
import CONFIG from "../deno.json" with { type: "json" };

const ROOT = new URL("../", import.meta.url);

/** JSR takes 20 MiB; what everybody downloads has to stay far below. */
const MAX_BYTES = 6 * 2 ** 20;
const MAX_FILE_BYTES = 512 * 2 ** 10;

/** What is published: code, texts that code loads, libraries, pages. */
const PUBLISHED =
  /^(?:[^/]+\.(?:md|ts)|LICENSE|deno\.json|docs\/.+\.(?:md|json)|(?:cli|communication|runtime|security|templates|testing|wrappers)\/.+\.(?:ts|hbs)|communication\/guest\/.+|communication\/extism\/kernel\.wat|(?:runtime|communication)\/.+_program\.js)$/;

/** A published file, and its size as `deno publish` rounds it. */
type Files = ReadonlyMap<string, number>;

const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KB: 2 ** 10,
  MB: 2 ** 20,
};

async function published(): Promise<Files> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "tests/npm_only/task.ts"],
      ...["publish", "--dry-run", "--allow-dirty"],
    ],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  const text = decoder.decode(stdout) + decoder.decode(stderr);
  assert(success, text);
  const rows = [...text.matchAll(/^ +(file:\S+) \(([\d.]+)(B|KB|MB)\)$/gm)];
  const top = rows.map(([, url = ""]) => url)
    .find((url) => /\/deno\.json$/.test(url))?.slice(0, -"deno.json".length);
  assert(top !== undefined, text);
  return new Map(rows.map(([, url = "", size, unit = ""]) => {
    assert(url.startsWith(top), url);
    const path = decodeURIComponent(url.slice(top.length));
    return [path, Number(size) * (UNITS[unit] ?? Infinity)];
  }));
}

async function walk(folder: string, ends: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isFile } of Deno.readDir(new URL(folder, ROOT))) {
    if (!isFile) found.push(...await walk(`${folder}${name}/`, ends));
    else if (name.endsWith(ends)) found.push(folder + name);
  }
  return found;
}

Deno.test("what is published is what must be, and small", async (t) => {
  const files = await published();
  const bytes = [...files.values()].reduce((sum, size) => sum + size, 0);
  await t.step("nothing else", () => {
    const others = [...files.keys()].filter((path) =>
      !PUBLISHED.test(path) || /(?:^|\/)build_\w+\.ts$|_test\.ts$/.test(path)
    );
    assertEquals(others, []);
  });
  await t.step("every template", async () => {
    const templates = await walk("templates/", ".hbs");
    assert(templates.length > 30);
    assertEquals(templates.filter((path) => !files.has(path)), []);
  });
  await t.step("every export", () => {
    for (const file of Object.values(CONFIG.exports)) {
      assert(files.has(file.slice(2)), file);
    }
  });
  await t.step("its size", () => {
    // deno-lint-ignore no-console -- the figure is for whoever reads the log
    console.log(`${files.size} files, ${(bytes / 2 ** 20).toFixed(2)} MiB`);
    assert(bytes < MAX_BYTES, `${bytes} bytes`);
    const large = [...files].filter(([, size]) => size > MAX_FILE_BYTES);
    assertEquals(large, []);
  });
});

Deno.test("exports have names in kebab-case, and a page with an example", async () => {
  for (const [name, file] of Object.entries(CONFIG.exports)) {
    assert(/^\.(?:\/[a-z]+(?:-[a-z]+)*)?$/.test(name), name);
    const text = await Deno.readTextFile(new URL(file, ROOT));
    const [page = ""] = /\/\*\*[^]*?\*\//.exec(text) ?? [];
    assert(page.includes("@module"), `${file} has no page`);
    assert(page.includes("```"), `the page of ${file} has no example`);
  }
});

// JSR reads the files that an entry cannot be loaded without, and as of August
// 2026 refuses text imports among them; those behind an `import()` it lets pass.
Deno.test("no entry needs a text import to be loaded", async () => {
  const seen = new Set<string>();
  const texts: string[] = [];
  const visit = async (url: URL): Promise<void> => {
    if (seen.has(url.href) || !url.pathname.endsWith(".ts")) return;
    seen.add(url.href);
    const code = (await Deno.readTextFile(url)).replace(/^\s*\*.*$/gm, "");
    const found = code.matchAll(
      /^(?:import|export)\b[^;]*?\sfrom\s+"(\.[^"]+)"(?:\s+with\s+\{([^}]*)\})?/gm,
    );
    for (const [, path = "", attributes = ""] of found) {
      const next = new URL(path, url);
      if (/type:\s*"(?:text|bytes)"/.test(attributes)) {
        texts.push(`${url.href.slice(ROOT.href.length)} -> ${path}`);
      }
      await visit(next);
    }
  };
  for (const file of Object.values(CONFIG.exports)) {
    await visit(new URL(file, ROOT));
  }
  assert(seen.size > 200, `${seen.size} files`);
  assertEquals(texts, []);
  // the guard sees what it looks for
  await visit(new URL("templates/channel/mod.ts", ROOT));
  assert(texts.length > 0);
});
