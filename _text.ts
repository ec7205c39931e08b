/** Text from guests, and distances between names. */

/**
 * What could forge a line, move a cursor or turn text around: control
 * characters, separators of lines, what is not seen, lone surrogates.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Longest piece of guest text that a message quotes, in UTF-16 units. */
const MAX_QUOTE = 120;

/** Escapes what could forge a line, move a cursor or turn text around. */
export function printable(text: string): string {
  return text.replace(
    UNPRINTABLE,
    (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

/** Quotes a name that may be the guest's: escaped and cut. */
export function quote(text: string): string {
  const cut = text.length > MAX_QUOTE ? `${text.slice(0, MAX_QUOTE)}…` : text;
  return JSON.stringify(printable(cut)).replaceAll("\\\\u{", "\\u{");
}

/** What something that was thrown says, whatever it is: printable. */
export function reasonOf(thrown: unknown): string {
  try {
    return printable(
      String(thrown instanceof Error ? thrown.message : thrown),
    );
  } catch {
    return "it threw what is no text";
  }
}

/** The name nearest to `name` among `known`, if it is near enough to suggest. */
export function nearest(
  name: string,
  known: Iterable<string>,
): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  if (name.length > MAX_QUOTE) return undefined;
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) >= bestDistance) continue;
    const distance = levenshtein(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function levenshtein(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(
        Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, substitution),
      );
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
