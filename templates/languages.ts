/** What files are written in, by the ends of their names. */

import {
  bracedText,
  cText,
  goText,
  jsonText,
  markdownText,
  shellText,
  type WriteText,
} from "./literals.ts";
import {
  codeShape,
  jsonShape,
  linesShape,
  scriptShape,
  type Shape,
  yamlShape,
} from "./shape.ts";

/** A language that templates are written in. */
export interface Language {
  /** Writes a text as a literal. */
  readonly text: WriteText;
  /** Whether lists and objects have literals. */
  readonly hasData: boolean;
  /** What a file amounts to, whatever the values in it are. */
  readonly shape: Shape;
}

const SCRIPT: Language = { text: jsonText, hasData: true, shape: scriptShape };
const C: Language = { text: cText, hasData: false, shape: codeShape("//") };
const BRACED: Language = { ...C, text: bracedText };
// YAML and TOML escape whole characters, as Go does, and not halves of them
const YAML: Language = { text: goText, hasData: true, shape: yamlShape };

/** Paths of files, which are checked apart: a name is all that they take. */
export const PATH: Language = {
  text: () => {
    throw new TypeError("a text has no literal here (use identifier)");
  },
  hasData: false,
  shape: linesShape,
};

/** What is in a folder `assembly`: scripts with syntax of their own. */
const ASSEMBLYSCRIPT: Language = { ...C, text: jsonText };

const LANGUAGES: Readonly<Record<string, Language>> = Object.freeze({
  ts: SCRIPT,
  js: SCRIPT,
  json: { text: jsonText, hasData: true, shape: jsonShape },
  yaml: YAML,
  yml: YAML,
  toml: { text: goText, hasData: false, shape: codeShape("#") },
  c: C,
  h: C,
  rs: BRACED,
  zig: BRACED,
  go: { ...C, text: goText },
  sh: { text: shellText, hasData: false, shape: codeShape("#") },
  txt: { text: jsonText, hasData: false, shape: linesShape },
  md: { text: markdownText, hasData: false, shape: linesShape },
});

/**
 * The language of a file.
 *
 * @param path Its path.
 * @returns The language, if it is known.
 */
export function languageOf(path: string): Language | undefined {
  if (/(?:^|\/)assembly\/[^/]+\.ts$/.test(path)) return ASSEMBLYSCRIPT;
  const extension = /\.([a-z]+)$/.exec(path)?.[1] ?? "";
  return Object.hasOwn(LANGUAGES, extension) ? LANGUAGES[extension] : undefined;
}
