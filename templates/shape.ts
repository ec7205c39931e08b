/**
 * What files are, apart from the values in them: two renderings of a template
 * have the same shape, or a value has become code.
 */

/**
 * Tells the shape of a file.
 *
 * @param text The file.
 * @returns The same for files that differ in values alone.
 * @throws {Error} If it is no file of its language.
 */
export type Shape = (text: string) => string | Promise<string>;

/** Of JavaScript and TypeScript: all tokens, without what literals hold. */
export const scriptShape: Shape = async (text: string): Promise<string> => {
  const { parse } = await import("@babel/parser");
  const { tokens } = parse(text, {
    sourceType: "module",
    plugins: ["typescript"],
    tokens: true,
    attachComment: false,
  });
  return (tokens ?? []).map((token) => {
    // comments are tokens, too, whose type is a text
    if (typeof token.type === "string") return token.type;
    const { label } = token.type;
    return label === "string" || label === "num"
      ? label
      : `${label} ${String(token.value ?? "")}`;
  }).join("\n");
};

/** Of JSON: the keys, and what kinds of values they have. */
export const jsonShape: Shape = (text: string): string =>
  dataShape(JSON.parse(text));

/** Of YAML: as of JSON. */
export const yamlShape: Shape = async (text: string): Promise<string> => {
  const { parse } = await import("@std/yaml");
  return dataShape(parse(text));
};

/** Of pages: how many lines there are. */
export const linesShape: Shape = (text: string): string =>
  String(text.split("\n").length);

/**
 * Of code whose strings are in quotes: all tokens, without what strings, numbers
 * and comments hold.
 *
 * @param lineComment What a comment to the end of the line begins with.
 * @returns The shape.
 */
export function codeShape(lineComment: string): Shape {
  const comment = lineComment === "#" ? "#[^\\n]*" : "//[^\\n]*|/\\*[^]*?\\*/";
  const tokens = new RegExp(
    `(?<comment>${comment})|(?<string>"(?:[^"\\\\\\n]|\\\\[^])*"|'(?:[^'\\\\]|` +
      `\\\\[^])*')|(?<number>\\d[\\w.]*)|(?<word>[\\p{L}_]\\w*)|` +
      "(?<space>\\s+)|(?<other>[^])",
    "gu",
  );
  return (text) =>
    [...text.matchAll(tokens)].flatMap(({ groups = {} }) => {
      const [kind, value] = Object.entries(groups).find(([, it]) =>
        it !== undefined
      ) ?? [];
      if (kind === "space") return [];
      return kind === "word" || kind === "other"
        ? [`${kind} ${value}`]
        : [kind];
    }).join("\n");
}

function dataShape(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(dataShape).join()}]`;
  if (typeof value !== "object" || value === null) {
    return value === null ? "null" : typeof value;
  }
  const entries = Object.entries(value);
  return `{${
    entries.map(([key, it]) => `${JSON.stringify(key)}:${dataShape(it)}`).join()
  }}`;
}
