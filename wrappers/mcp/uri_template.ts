/** URI templates: RFC 6570, level 1. */

/** A part of a template: text as it is, or the name of a variable. */
type Part =
  | { readonly text: string }
  | { readonly variable: string };

/** Most variables of a template. */
const MAX_VARIABLES = 16;

/** Longest template, in characters. */
const MAX_TEMPLATE = 2_048;

/** Characters that stand for themselves in a value: RFC 3986, unreserved. */
const VALUE = /^(?:[A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})*$/;

/** Text between variables: what URIs are made of. */
const TEXT = /^(?:[A-Za-z0-9._~:/?#[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*$/;

const NAME = /^[A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*$/;

/** A template, such as `notes://{user}/{id}`. */
export class UriTemplate {
  /** The variables, in the order in which they come. */
  readonly variables: readonly string[];
  readonly #parts: readonly Part[];

  /**
   * Reads a template.
   *
   * @param text The template.
   * @throws {TypeError} If it is none, or of a higher level.
   */
  constructor(text: string) {
    if (text.length > MAX_TEMPLATE) throw new TypeError("it is too long");
    const parts = text.split(/(\{[^{}]*\})/).filter((part) => part !== "");
    this.#parts = parts.map(partOf);
    this.variables = this.#parts.flatMap((part) =>
      "variable" in part ? [part.variable] : []
    );
    this.#check();
  }

  #check(): void {
    const { variables } = this;
    if (variables.length === 0) throw new TypeError("it has no variable");
    if (variables.length > MAX_VARIABLES) {
      throw new TypeError(`it has more than ${MAX_VARIABLES} variables`);
    }
    if (new Set(variables).size < variables.length) {
      throw new TypeError("it has a variable twice");
    }
    const [first] = this.#parts;
    if (
      first === undefined || !("text" in first) ||
      !/^[A-Za-z][A-Za-z0-9+.-]*:/.test(first.text)
    ) throw new TypeError("it does not begin with a scheme");
    const adjacent = this.#parts.some((part, index) => {
      const next = this.#parts[index + 1];
      return next !== undefined && "variable" in part && "variable" in next;
    });
    if (adjacent) throw new TypeError("nothing is between two variables");
  }

  /**
   * Finds the values with which the template gives a URI: each as short as it
   * can be. No value of level 1 holds a `/`.
   *
   * @param uri The URI.
   * @returns The values by name, decoded; undefined, if it gives no such URI.
   */
  match(uri: string): Readonly<Record<string, string>> | undefined {
    const values: [string, string][] = [];
    let at = 0;
    for (const [index, part] of this.#parts.entries()) {
      if ("text" in part) {
        if (!uri.startsWith(part.text, at)) return undefined;
        at += part.text.length;
        continue;
      }
      const next = this.#parts[index + 1];
      const end = next === undefined || !("text" in next)
        ? uri.length
        : this.#endOf(uri, {
          at,
          text: next.text,
          isLast: index + 2 === this.#parts.length,
        });
      const value = decoded(uri.slice(at, Math.max(at, end)));
      if (end <= at || value === undefined) return undefined;
      values.push([part.variable, value]);
      at = end;
    }
    return at === uri.length ? Object.fromEntries(values) : undefined;
  }

  /** Where the value before a text ends; at the last text, before its end. */
  #endOf(
    uri: string,
    { at, text, isLast }: {
      readonly at: number;
      readonly text: string;
      readonly isLast: boolean;
    },
  ): number {
    return isLast && uri.endsWith(text)
      ? uri.length - text.length
      : uri.indexOf(text, at + 1);
  }
}

function partOf(part: string): Part {
  if (!part.startsWith("{")) {
    if (TEXT.test(part)) return { text: part };
    throw new TypeError("it holds what no URI may hold");
  }
  const variable = part.slice(1, -1);
  if (NAME.test(variable) && variable !== "__proto__") return { variable };
  throw new TypeError(
    `${JSON.stringify(part)} is no variable of level 1 of RFC 6570`,
  );
}

function decoded(value: string): string | undefined {
  if (!VALUE.test(value)) return undefined;
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}
