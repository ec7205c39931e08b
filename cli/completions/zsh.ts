/** The script for zsh, 5.0 and later. */

import { shellQuote } from "../../security/policy_file/explain.ts";
import type { CommandWords, FlagWord, Values } from "./words.ts";

/**
 * Writes the script.
 *
 * @param name Name of the program.
 * @param commands What can be written.
 * @returns The script.
 */
export function zshScript(
  name: string,
  commands: readonly CommandWords[],
): string {
  const id = `_${name.replaceAll("-", "_")}`;
  return `#compdef ${name}
# Completes ${name} in zsh.
#
#   source <(${name} completions zsh)

${commands.map((each) => functionOf(each, id)).join("\n\n")}

if [ "$funcstack[1]" = ${id} ]; then
  ${id} "$@"
else
  compdef ${id} ${name}
fi
`;
}

function functionOf(
  { path, commands, options, arguments: args, isOpen }: CommandWords,
  id: string,
): string {
  const own = idOf(id, path);
  const flags = options.flatMap(flagSpecs);
  const last = args.at(-1);
  const rest = isOpen && last !== undefined
    ? [shellQuote(`*: :${actionOf(last)}`)]
    : [];
  if (commands.length === 0) {
    return `${own}() {
  _arguments -s -S \\
    ${[...flags, ...args.map(argumentSpec), ...rest].join(" \\\n    ")}
}`;
  }
  const names = commands.map(([name, summary]) =>
    shellQuote(`${name}:${summary.replaceAll(":", "\\:")}`)
  );
  const cases = commands.map(([name]) =>
    `      ${name}) ${idOf(id, path === "" ? name : `${path} ${name}`)} ;;`
  );
  // an argument of its own stands where a command could
  const files = args[0]?.kind === "files" ? "\n      _files" : "";
  return `${own}() {
  local curcontext="$curcontext" state line
  _arguments -C -s -S \\
    ${flags.join(" \\\n    ")} \\
    '1: :->command' '*:: :->rest'
  case $state in
    command)
      local -a commands
      commands=(
        ${names.join("\n        ")}
      )
      _describe -t commands command commands${files}
      ;;
    rest)
      curcontext="\${curcontext%:*}-$line[1]:"
      case $line[1] in
  ${cases.join("\n  ")}
      esac
      ;;
  esac
}`;
}

function idOf(id: string, path: string): string {
  return path === "" ? id : `${id}_${path.replaceAll(/[ -]/g, "_")}`;
}

function flagSpecs({ flags, description, values }: FlagWord): string[] {
  const text = `[${description.replaceAll(/[[\]\\]/g, "\\$&")}]`;
  return flags.map((flag) => {
    const isLong = flag.startsWith("--");
    const value = values === undefined ? "" : `: :${actionOf(values)}`;
    // a value may come after = and as a word of its own
    const equals = values !== undefined && isLong ? "=" : "";
    return shellQuote(`*${flag}${equals}${text}${value}`);
  });
}

function argumentSpec(values: Values, index: number): string {
  return shellQuote(`${index + 1}: :${actionOf(values)}`);
}

function actionOf(values: Values): string {
  switch (values.kind) {
    case "words":
      return `(${values.words.join(" ")})`;
    case "files":
      return "_files";
    case "directories":
      return "_files -/";
    case "nothing":
      return " ";
  }
}
