/**
 * The help of a command.
 *
 * @module
 */

import {
  type CommandInfo,
  flagsOf,
  type OptionGroup,
  usageOf,
} from "./describe.ts";
import { EXIT_CODES } from "./exit_codes.ts";
import type { CliHost } from "./host.ts";
import { roomOf, type Style, styleOf } from "./style.ts";
import { type Cell, table } from "./table.ts";
import { textWidth, wrap } from "./text_width.ts";

/** Where no terminal says how wide it is. */
const USUAL_WIDTH = 80;
/** Longer lines are not read easily. */
const MAX_WIDTH = 120;
/** Longest first column; what is longer has its text on the next line. */
const MAX_LABEL = 28;

const GROUPS: readonly (readonly [OptionGroup, string])[] = [
  ["options", "Options"],
  ["limits", "Limits"],
  ["grants", "What the guest may do, and where it runs"],
  ["everywhere", "Global options"],
];

/**
 * Writes the help of a command.
 *
 * @param info The command.
 * @param host Who reads it: how wide the terminal is, and whether it has colours.
 * @returns Lines.
 */
export function helpText(
  info: CommandInfo,
  host: Pick<CliHost, "isTerminal" | "columns" | "noColor">,
): string {
  const width = Math.min(roomOf(host) ?? USUAL_WIDTH, MAX_WIDTH);
  const page = new Page(width, styleOf(host));
  page.text([info.summary, ...info.description].map(paragraph));
  page.section("Usage", [`  ${usageOf(info)}`]);
  page.rows("Commands", info.commands.map((each) => [each.name, each.summary]));
  page.rows(
    "Arguments",
    info.arguments.map(({ name, description }) => [name, description]),
  );
  for (const [group, title] of GROUPS) {
    const options = info.options.filter((each) => each.group === group);
    page.rows(
      title,
      options.map((each) => [flagsOf(each), each.description]),
    );
  }
  page.examples(info);
  if (!info.path.includes(" ")) {
    page.rows(
      "Exit codes",
      EXIT_CODES.map(([code, meaning]) => [String(code), meaning]),
    );
    page.section("", [
      `${info.name} <command> --help tells more of a command.`,
    ]);
  }
  return page.toString();
}

/** A paragraph on one line, to be broken anew. */
function paragraph(text: string): string {
  return text.replaceAll("\n", " ");
}

class Page {
  readonly #width: number;
  readonly #style: Style;
  readonly #sections: string[] = [];

  constructor(width: number, style: Style) {
    this.#width = width;
    this.#style = style;
  }

  text(paragraphs: readonly string[]): void {
    for (const each of paragraphs) {
      this.#sections.push(wrap(each, this.#width).join("\n"));
    }
  }

  section(title: string, lines: readonly string[]): void {
    if (lines.length === 0) return;
    const head = title === "" ? [] : [this.#style.title(`${title}:`)];
    this.#sections.push([...head, ...lines].join("\n"));
  }

  rows(title: string, rows: readonly (readonly [string, string])[]): void {
    const label = Math.min(
      MAX_LABEL,
      Math.max(0, ...rows.map(([first]) => textWidth(first))),
    );
    const paint = this.#style.code;
    const cells: Cell[][] = rows.flatMap(([first, text]) =>
      textWidth(first) <= label
        ? [[{ text: first.padEnd(label), paint }, text]]
        : [[{ text: first, paint }], [" ".repeat(label), text]]
    );
    const options = { width: this.#width, indent: 2 };
    // a label that is too long must not widen the column
    const lines = cells.flatMap((row) => table([row], options));
    this.section(title, lines);
  }

  examples({ examples }: CommandInfo): void {
    this.section(
      "Examples",
      examples.flatMap(({ name, text }) => [
        `  ${this.#style.faint(`# ${name}`)}`,
        `  ${text}`,
      ]),
    );
  }

  toString(): string {
    return `${this.#sections.join("\n\n")}\n`;
  }
}
