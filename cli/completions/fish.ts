/** The script for fish, 3.0 and later. */

import type { CommandWords, Values } from "./words.ts";

/**
 * Writes the script.
 *
 * @param name Name of the program.
 * @param commands What can be written.
 * @returns The script.
 */
export function fishScript(
  name: string,
  commands: readonly CommandWords[],
): string {
  const id = `__${name.replaceAll("-", "_")}`;
  return `# Completes ${name} in fish.
#
#   ${name} completions fish > ~/.config/fish/completions/${name}.fish

# Prints the command that is written, and how many arguments it has.
function ${id}_state
    set -l command ""
    set -l position 0
    set -l is_value 0
    for word in (commandline -opc)[2..-1]
        if test $is_value = 1
            set is_value 0
            continue
        end
        switch "$command|$word"
${commands.flatMap(flagLines).join("\n")}
            case '*|-*'
${commands.flatMap(commandLines).join("\n")}
            case '*'
                set position (math $position + 1)
        end
    end
    echo "$command|$position"
end

function ${id}_is
    test (${id}_state | string split '|')[1] = "$argv[1]"
end

function ${id}_at
    set -l state (${id}_state | string split '|')
    test "$state[1]" = "$argv[1]"; and test $state[2] -ge $argv[2]; and test $state[2] -le $argv[3]
end

complete -c ${name} -f
${commands.flatMap((each) => lines(name, id, each)).join("\n")}
`;
}

function flagLines({ path, options }: CommandWords): string[] {
  const flags = options.filter(({ values }) => values !== undefined)
    .flatMap((each) => each.flags);
  if (flags.length === 0) return [];
  const patterns = flags.map((flag) => quoted(`${path}|${flag}`)).join(" ");
  return [`            case ${patterns}`, "                set is_value 1"];
}

function commandLines({ path, commands }: CommandWords): string[] {
  return commands.flatMap(([name]) => {
    const inner = path === "" ? name : `${path} ${name}`;
    return [
      `            case ${quoted(`${path}|${name}`)}`,
      `                set command ${quoted(inner)}`,
    ];
  });
}

/** More arguments than anybody writes. */
const MANY = 999;

function lines(
  name: string,
  id: string,
  { path, commands, options, arguments: args, isOpen }: CommandWords,
): string[] {
  const begin = `complete -c ${name} -n`;
  const when = (test: string) => `${begin} ${quoted(test)}`;
  const is = when(`${id}_is ${quoted(path)}`);
  const at = (from: number, to: number) =>
    when(`${id}_at ${quoted(path)} ${from} ${to}`);
  return [
    ...commands.map(([each, summary]) =>
      `${at(0, 0)} -a ${each} -d ${quoted(summary)}`
    ),
    ...options.map(({ flags, description, values }) =>
      [
        is,
        ...flags.map((flag) =>
          flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`
        ),
        ...(values === undefined ? [] : [
          // a value is needed, and nothing else will do, unless it is a file
          values.kind === "files" ? "-r" : "-x",
          ...completesOf(values),
        ]),
        `-d ${quoted(description)}`,
      ].join(" ")
    ),
    ...args.flatMap((values, index) => {
      const to = isOpen && index === args.length - 1 ? MANY : index;
      const completes = completesOf(values);
      return completes.length === 0
        ? []
        : [`${at(index, to)} ${completes.join(" ")}`];
    }),
  ];
}

function completesOf(values: Values): string[] {
  switch (values.kind) {
    case "words":
      return [`-a ${quoted(values.words.join(" "))}`];
    case "files":
      return ["-F"];
    case "directories":
      return ["-a '(__fish_complete_directories)'"];
    case "nothing":
      return [];
  }
}

/** Within single quotes fish knows two escapes. */
function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
