/** Writes plain data as the YAML that policy files are written in. */

/** Text that every reader of YAML takes for text, without quotes. */
const PLAIN = /^(?:[A-Za-z_/][\w/.+-]*|\d+[A-Za-z]{1,3})$/;
/** What some version of YAML takes for a value of another type. */
const WORD = /^(?:true|false|null|yes|no|on|off|y|n)$/i;
/** Characters that are written as escapes. */
const UNSEEN =
  /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\ufffe\uffff]/gu;

/** Writes data as YAML, in blocks, with a line feed at the end. */
export function writeYaml(data: unknown): string {
  return `${block(data, "").trimStart()}\n`;
}

/** Writes data as JSON, with nothing in it that cannot be seen. */
export function writeJson(data: unknown): string {
  return `${escaped(JSON.stringify(data, null, 2))}\n`;
}

function block(data: unknown, indent: string): string {
  if (Array.isArray(data) && data.length > 0) {
    return data.map((item) =>
      `\n${indent}- ${block(item, `${indent}  `).trimStart()}`
    ).join("");
  }
  if (typeof data !== "object" || data === null || Array.isArray(data)) {
    return ` ${scalar(data)}`;
  }
  const entries = Object.entries(data).filter(([, each]) => each !== undefined);
  if (entries.length === 0) return " {}";
  return entries.map(([name, value]) =>
    `\n${indent}${scalar(name)}:${block(value, `${indent}  `)}`
  ).join("");
}

function scalar(data: unknown): string {
  if (Array.isArray(data)) return "[]";
  if (typeof data !== "string") return JSON.stringify(data);
  return PLAIN.test(data) && !WORD.test(data)
    ? data
    : escaped(JSON.stringify(data));
}

/** Escapes what JSON leaves as it is, but line feeds between its values. */
function escaped(json: string): string {
  return json.replace(
    UNSEEN,
    (character) =>
      character === "\n"
        ? character
        : character.split("").map((unit) =>
          `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`
        ).join(""),
  );
}
