/** The script for bash, 3.2 and later. */

import { shellQuote } from "../../security/policy_file/explain.ts";
import type { CommandWords, Values } from "./words.ts";

/**
 * Writes the script.
 *
 * @param name Name of the program.
 * @param commands What can be written.
 * @returns The script.
 */
export function bashScript(
  name: string,
  commands: readonly CommandWords[],
): string {
  const id = `_${name.replaceAll("-", "_")}`;
  return `# Completes ${name} in bash.
#
#   source <(${name} completions bash)

${id}_words() { COMPREPLY=($(compgen -W "$1" -- "$cur")); }
${id}_files() { compopt -o filenames 2>/dev/null; local IFS=$'\\n'; COMPREPLY=($(compgen -f -- "$cur")); }
${id}_directories() { compopt -o filenames 2>/dev/null; local IFS=$'\\n'; COMPREPLY=($(compgen -d -- "$cur")); }
${id}_nothing() { COMPREPLY=(); }

${id}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]}
  # bash takes --flag=value apart
  if [[ $cur == = ]]; then
    cur=""
  elif [[ $prev == = ]]; then
    prev=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  local command="" position=0 index word is_value=""
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    [[ $word == -- ]] && return
    if [[ -n $is_value ]]; then
      [[ $word == = ]] || is_value=""
      continue
    fi
    case "$command|$word" in
${commands.flatMap(flagLines).join("\n")}
    *"|-"*) ;;
${commands.flatMap(commandLines).join("\n")}
    *) ((position++)) ;;
    esac
  done
  case "$command|$prev" in
${commands.flatMap((each) => valueLines(each, id)).join("\n")}
  esac
  if [[ $cur == -* ]]; then
    case "$command" in
${commands.map((each) => optionLine(each, id)).join("\n")}
    esac
    return
  fi
  case "$command|$position" in
${commands.flatMap((each) => argumentLines(each, id)).join("\n")}
  esac
}

complete -F ${id} ${name}
`;
}

/** Flags after which a value comes. */
function flagLines({ path, options }: CommandWords): string[] {
  const flags = options.filter(({ values }) => values !== undefined)
    .flatMap((each) => each.flags);
  if (flags.length === 0) return [];
  const patterns = flags.map((flag) => `"${path}|${flag}"`).join(" | ");
  return [`    ${patterns}) is_value=1 ;;`];
}

function commandLines({ path, commands }: CommandWords): string[] {
  return commands.map(([name]) => {
    const inner = path === "" ? name : `${path} ${name}`;
    return `    "${path}|${name}") command="${inner}" ;;`;
  });
}

function valueLines({ path, options }: CommandWords, id: string): string[] {
  return options.flatMap(({ flags, values }) =>
    values === undefined ? [] : [
      `  ${flags.map((flag) => `"${path}|${flag}"`).join(" | ")}) ${
        callOf(values, id)
      }; return ;;`,
    ]
  );
}

function optionLine({ path, options }: CommandWords, id: string): string {
  const flags = options.flatMap((each) => each.flags);
  return `    "${path}") ${id}_words ${shellQuote(flags.join(" "))} ;;`;
}

function argumentLines(
  { path, commands, arguments: args, isOpen }: CommandWords,
  id: string,
): string[] {
  if (commands.length > 0) {
    const names = commands.map(([name]) => name).join(" ");
    // an argument of its own stands where a command could
    const files = args[0]?.kind === "files"
      ? `; [[ \${#COMPREPLY[@]} -gt 0 ]] || ${id}_files`
      : "";
    return [`  "${path}|0") ${id}_words ${shellQuote(names)}${files} ;;`];
  }
  return args.map((values, index) => {
    const isLast = isOpen && index === args.length - 1;
    const pattern = isLast ? `"${path}|"*` : `"${path}|${index}"`;
    return `  ${pattern}) ${callOf(values, id)} ;;`;
  });
}

function callOf(values: Values, id: string): string {
  return values.kind === "words"
    ? `${id}_words ${shellQuote(values.words.join(" "))}`
    : `${id}_${values.kind}`;
}
