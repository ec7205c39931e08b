/** The reference of the command line, as a page. */

import {
  type CommandInfo,
  flagsOf,
  type OptionGroup,
  usageOf,
} from "../../cli/describe.ts";
import { EXIT_CODES } from "../../cli/exit_codes.ts";

const GROUPS: readonly (readonly [OptionGroup, string])[] = [
  ["options", "Options"],
  ["limits", "Limits"],
  ["grants", "What the guest may do, and where it runs"],
];

/**
 * Writes the reference in Markdown.
 *
 * @param info The command line.
 * @returns The page.
 */
export function referencePage(info: CommandInfo): string {
  const all = below(info);
  const parts = [
    "<!-- written by tests/cli/update_docs.ts; change the commands in cli/ -->",
    "# Command line",
    `${info.summary} \`${info.name}\` is installed by ` +
    "`deno install -g -A -n wasm-sandbox jsr:@wasm-sandbox/core/cli`; in a " +
    "checkout it is `deno run -A cli.ts`.",
    "Every command takes `--json`, and then prints one line of JSON, an " +
    "error to the standard error, and `--help`. Colours are for terminals alone, and go with " +
    "`NO_COLOR`; tables fit the terminal, and in a pipe no line is broken.",
    tableOf(
      ["command", "what it does"],
      all.map(({ path, summary }) => [
        `[\`${path}\`](#${path.replaceAll(" ", "-")})`,
        summary,
      ]),
    ),
    "## Exit codes",
    tableOf(
      ["code", "meaning"],
      EXIT_CODES.map(([code, meaning]) => [String(code), meaning]),
    ),
    "A program that `run` runs to its end gives its own exit code, 255 for a " +
    "greater one, and 141 if nobody reads its output any more.",
    ...all.map(section),
  ];
  return `${parts.join("\n\n")}\n`;
}

/** The commands beneath a command, each before those beneath itself. */
function below({ commands }: CommandInfo): readonly CommandInfo[] {
  return commands.flatMap((each) => [each, ...below(each)]);
}

function section(info: CommandInfo): string {
  const { path, summary, description, examples } = info;
  const rows: (readonly string[])[] = info.arguments.map((each) => [
    `\`${each.usage}\``,
    each.description,
  ]);
  return [
    `## ${path}`,
    summary,
    ...description.map((each) => each.replaceAll("\n", " ")),
    fenced([usageOf(info)]),
    ...(rows.length === 0 ? [] : [tableOf(["argument", "what it is"], rows)]),
    ...GROUPS.flatMap(([group, title]) => {
      const options = info.options.filter((each) => each.group === group);
      return options.length === 0 ? [] : [tableOf(
        [title.toLowerCase(), "what it does"],
        options.map((each) => [`\`${flagsOf(each)}\``, each.description]),
      )];
    }),
    fenced(examples.flatMap(({ name, text }) => [`# ${name}`, text])),
  ].join("\n\n");
}

function fenced(lines: readonly string[]): string {
  return ["```sh", ...lines, "```"].join("\n");
}

function tableOf(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join(
    "\n",
  );
}
