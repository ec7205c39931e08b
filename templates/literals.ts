/** Literals of each language, of any text. */

/** What is escaped though a language would take it: it could mislead a reader. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu;

const ENCODER = new TextEncoder();

/** Writes a text as a literal. */
export type WriteText = (text: string) => string;

/**
 * For JSON, YAML, TOML, JavaScript and TypeScript: what JSON writes, which all of
 * them read. `<` would end a script within a page.
 */
export const jsonText: WriteText = (text: string): string =>
  JSON.stringify(text).replace(UNSAFE, unitEscapes).replaceAll("<", "\\u003c");

/** For C: bytes of UTF-8; all but plain ASCII are written as octal digits. */
export const cText: WriteText = (text: string): string => {
  refuseNul(text, "C");
  // three digits end an escape, and "?" could begin a trigraph
  const escaped = [...ENCODER.encode(text)].map((byte) =>
    byte < 0x20 || byte > 0x7e || `"\\?`.includes(String.fromCharCode(byte))
      ? `\\${byte.toString(8).padStart(3, "0")}`
      : String.fromCharCode(byte)
  );
  return `"${escaped.join("")}"`;
};

/** For Rust and Zig. */
export const bracedText: WriteText = (text: string): string =>
  `"${wellFormed(text).replace(/["\\]/g, "\\$&").replace(UNSAFE, braced)}"`;

/** For Go. */
export const goText: WriteText = (text: string): string =>
  `"${
    wellFormed(text).replace(/["\\]/g, "\\$&").replace(UNSAFE, (char) => {
      const code = char.codePointAt(0) ?? 0;
      const digits = code.toString(16);
      return code > 0xffff
        ? `\\U${digits.padStart(8, "0")}`
        : `\\u${digits.padStart(4, "0")}`;
    })
  }"`;

/** For a POSIX shell. */
export const shellText: WriteText = (text: string): string => {
  refuseNul(text, "a shell");
  return `'${wellFormed(text).replaceAll("'", `'\\''`)}'`;
};

/** For Markdown: code between more backticks than it has in a row. */
export const markdownText: WriteText = (text: string): string => {
  const line = wellFormed(text).replace(UNSAFE, braced);
  const longest = Math.max(
    0,
    ...(line.match(/`+/g) ?? []).map((x) => x.length),
  );
  const fence = "`".repeat(longest + 1);
  // a blank on both sides is no part of the code, and keeps backticks apart
  const gap = /^[ `]|[ `]$|^$/.test(line) ? " " : "";
  return `${fence}${gap}${line}${gap}${fence}`;
};

/**
 * Prose for a comment, or a page: on one line, and unable to end the comment or
 * to be taken for markup.
 *
 * @param text Any text.
 * @returns The same, as far as it is harmless.
 */
export function prose(text: string): string {
  return wellFormed(text)
    .replace(/\s+/gu, " ")
    .replace(UNSAFE, "")
    .replace(/[*/\\`<>[\](){}#|_~!&@$-]/g, (char) => SAFE_PROSE[char] ?? " ")
    .trim();
}

/** What stands for a character in prose, where it is not left out. */
const SAFE_PROSE: Readonly<Record<string, string>> = Object.freeze({
  "(": "(",
  ")": ")",
  "-": "-",
  "_": "_",
  "&": "and",
  "!": "!",
});

function braced(char: string): string {
  return `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;
}

function unitEscapes(char: string): string {
  return Array.from(
    { length: char.length },
    (_, at) => `\\u${char.charCodeAt(at).toString(16).padStart(4, "0")}`,
  ).join("");
}

function wellFormed(text: string): string {
  if (text.isWellFormed()) return text;
  throw new TypeError("a text has half a surrogate pair");
}

function refuseNul(text: string, language: string): void {
  wellFormed(text);
  if (text.includes("\0")) {
    throw new TypeError(`a text has a NUL, which ${language} cannot hold`);
  }
}
