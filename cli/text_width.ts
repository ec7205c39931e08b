/**
 * How wide text is on a terminal, and how it is broken into lines.
 *
 * @module
 */

/** Joins what is before it, and takes no room of its own. */
const NARROW = /^[\p{M}\p{Cf}]$/u;
/** Takes the room of two letters: scripts of East Asia, and most emoji. */
const WIDE =
  /^[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}\p{Emoji_Presentation}]$/u;

/**
 * How many columns a text takes.
 *
 * @param text Text without control characters.
 * @returns The columns.
 */
export function textWidth(text: string): number {
  // the common case, and the fast one
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += widthOf(character);
  return width;
}

function widthOf(character: string): number {
  return NARROW.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
}

/**
 * Fills a text up to a width.
 *
 * @param text The text.
 * @param width The columns; what is wider stays as it is.
 * @param side Where spaces go.
 * @returns The text with spaces.
 */
export function pad(
  text: string,
  width: number,
  side: "left" | "right" = "right",
): string {
  const spaces = " ".repeat(Math.max(0, width - textWidth(text)));
  return side === "right" ? text + spaces : spaces + text;
}

/**
 * Cuts a text that is too wide.
 *
 * @param text The text.
 * @param width The columns; one at least.
 * @returns The text, or its beginning and an ellipsis.
 */
export function shorten(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let short = "";
  for (const character of text) {
    if (textWidth(short + character) >= width) break;
    short += character;
  }
  return `${short}…`;
}

/**
 * Breaks a text into lines. What stands in backticks stays on one line, to be
 * copied; a word that is wider than a line goes on in the next.
 *
 * @param text The text, in which a line feed ends a line.
 * @param width Columns of a line; infinite, for as few lines as there can be.
 * @returns The lines; one at least.
 */
export function wrap(text: string, width: number): readonly string[] {
  return text.split("\n").flatMap((line) => wrapLine(line, width));
}

function wrapLine(text: string, width: number): readonly string[] {
  if (textWidth(text) <= width) return [text];
  const [indent = ""] = /^ */.exec(text) ?? [];
  const lines: string[] = [];
  let line = "";
  for (const word of text.match(/(?:`[^`]*`|[^ ])+/g) ?? []) {
    const longer = line === "" ? indent + word : `${line} ${word}`;
    if (textWidth(longer) <= width) {
      line = longer;
      continue;
    }
    if (line !== "") lines.push(line);
    const pieces = cut(indent + word, width);
    line = pieces.pop() ?? "";
    lines.push(...pieces);
  }
  return [...lines, line];
}

/** Pieces of a word that is wider than a line, unless it is to be copied. */
function cut(word: string, width: number): string[] {
  if (textWidth(word) <= width || word.includes("`")) return [word];
  const pieces: string[] = [];
  let piece = "";
  for (const character of word) {
    if (piece !== "" && textWidth(piece + character) > width) {
      pieces.push(piece);
      piece = "";
    }
    piece += character;
  }
  return [...pieces, piece];
}
