/** What a document tells its reader to type, and to expect. */

/** The code blocks of one section. */
export interface Section {
  /** The lines of its blocks `sh`, without comments. */
  readonly commands: readonly string[];
  /** The text of its first block of another kind: an answer, or a file. */
  readonly answer: string;
}

/**
 * Reads the section of a document that begins with a heading.
 *
 * @param path The document, from the root of the checkout.
 * @param heading The heading's words.
 * @returns What there is to type and to expect.
 * @throws {Error} If the document has no such section.
 */
export async function readSection(
  path: string,
  heading: string,
): Promise<Section> {
  const url = new URL(`../../${path}`, import.meta.url);
  const text = await Deno.readTextFile(url);
  const [, rest] = text.split(`\n## ${heading}\n`);
  if (rest === undefined) throw new Error(`${path} has no "${heading}"`);
  const [body = ""] = rest.split("\n## ");
  const blocks = [...body.matchAll(/^```(\w+)\n(.*?)\n```$/gms)]
    .map(([, language = "", code = ""]) => ({ language, code }));
  return {
    commands: blocks.filter(({ language }) => language === "sh")
      .flatMap(({ code }) => code.split("\n"))
      .map((line) => line.replace(/\s+#.*$/, "")),
    answer: blocks.find(({ language }) => language !== "sh")?.code ?? "",
  };
}
