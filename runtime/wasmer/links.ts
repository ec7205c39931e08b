/**
 * How files of the SDK refer to each other.
 *
 * @module
 */

/** `from "./a.js"` and `import "./a.js"`, but not `import("./a.js")`. */
const STATIC = /\b((?:from|import)\s*)(["'])(\.{1,2}\/[^"'\n]+)\2/g;

/**
 * The files that a file imports at its start.
 *
 * @param path Its own absolute path within the package.
 * @param text Its text.
 * @returns Their absolute paths.
 */
export function imported(path: string, text: string): readonly string[] {
  const targets = Array.from(
    text.matchAll(STATIC),
    ([, , , specifier = ""]) => target(path, specifier),
  );
  return [...new Set(targets)];
}

/**
 * A file whose imports name other URLs.
 *
 * @param path Its own absolute path within the package.
 * @param text Its text.
 * @param urlOf The URL of another file.
 * @returns The new text.
 */
export function relinked(
  path: string,
  text: string,
  urlOf: (path: string) => string,
): string {
  return text.replaceAll(
    STATIC,
    (_, word: string, quote: string, specifier: string) =>
      word + quote + urlOf(target(path, specifier)) + quote,
  );
}

function target(path: string, specifier: string): string {
  return new URL(specifier, `file://${path}`).pathname;
}
