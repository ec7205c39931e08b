/** Links between documents, and what they lead to. */

const ROOT = new URL("../../", import.meta.url);

/** The documents that link to each other, from the root of the checkout. */
export async function documents(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const folder of ["", "docs/"]) {
    for await (const { name, isFile } of Deno.readDir(new URL(folder, ROOT))) {
      if (isFile && name.endsWith(".md")) found.push(`${folder}${name}`);
    }
  }
  return found.sort();
}

/** Reads a document. */
export function readDocument(path: string): Promise<string> {
  return Deno.readTextFile(new URL(path, ROOT));
}

/**
 * Lists the links of a text that stay in the repository.
 *
 * @param text A document.
 * @returns Targets as they are written, but for those in code.
 */
export function linksOf(text: string): readonly string[] {
  const prose = text.replace(/^```.*?^```$/gms, "").replace(/`[^`\n]*`/g, "");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) =>
    target
  )
    .filter((target) => !/^[a-z]+:/.test(target));
}

/**
 * The names by which headings can be linked to, as GitHub makes them.
 *
 * @param text A document.
 * @returns Names without `#`.
 */
export function anchorsOf(text: string): ReadonlySet<string> {
  const prose = text.replace(/^```.*?^```$/gms, "");
  return new Set(
    [...prose.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
      heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(
        " ",
        "-",
      )
    ),
  );
}

/**
 * Says what is wrong with a link.
 *
 * @param from The document that it stands in.
 * @param target The link.
 * @returns A sentence; undefined if it leads somewhere.
 */
export async function problemOf(
  from: string,
  target: string,
): Promise<string | undefined> {
  const [path = "", anchor] = target.split("#");
  const url = path === ""
    ? new URL(from, ROOT)
    : new URL(path, new URL(from, ROOT));
  try {
    await Deno.stat(url);
  } catch {
    return `${from}: ${target} is not there`;
  }
  if (anchor === undefined) return undefined;
  const text = await Deno.readTextFile(url);
  return anchorsOf(text).has(anchor)
    ? undefined
    : `${from}: ${target} has no such heading`;
}
