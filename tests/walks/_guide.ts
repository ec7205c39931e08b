/** The files that a guide has its reader write. */

/** A file, as a step of the guide gives it. */
export interface GuideFile {
  /** Its name. */
  readonly name: string;
  /** Its text. */
  readonly text: string;
}

const STEP = /^\/\/ Step \d+\. (\S+\.ts): .*$/m;

/**
 * Reads the files of a section: in its block of code, a line `// Step …` begins
 * each, and imports of its neighbours are comments.
 *
 * @param text The document.
 * @param heading The section's heading.
 * @returns The files, in the order of the steps.
 * @throws {Error} If there is no such section, or more or less than one block.
 */
export function guideFiles(text: string, heading: string): GuideFile[] {
  const [, rest] = text.split(`\n## ${heading}\n`);
  if (rest === undefined) throw new Error(`there is no "${heading}"`);
  const [body = ""] = rest.split("\n## ");
  const blocks = [...body.matchAll(/^```ts\n(.*?)\n```$/gms)];
  const [before = "", ...parts] = (blocks[0]?.[1] ?? "").split(STEP);
  if (blocks.length !== 1 || before !== "" || parts.length === 0) {
    throw new Error(`"${heading}" has no block of code whose steps are files`);
  }
  const files: GuideFile[] = [];
  for (let at = 0; at < parts.length; at += 2) {
    const [name = "", code = ""] = parts.slice(at, at + 2);
    files.push({ name, text: withImports(code) });
  }
  return files;
}

/** Takes the slashes away from imports, as the reader is told to. */
function withImports(code: string): string {
  return `${code.trim().replaceAll(/^\/\/ (?=import )/gm, "")}\n`;
}
