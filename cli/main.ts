/**
 * The command line of this package.
 *
 * @module
 */

// deno-lint-ignore-file no-explicit-any -- `any` switches cliffy's inference off

import { Command } from "@cliffy/command";
import { CompletionsCommand } from "@cliffy/command/completions";
import { auditCommand } from "./audit.ts";
import { backendsCommand } from "./backends.ts";
import { callCommand } from "./call.ts";
import { EXIT_CODE_HELP } from "./exit_codes.ts";
import { type CliHost, denoHost } from "./host.ts";
import { inspectCommand } from "./inspect.ts";
import { mcpCommand } from "./mcp.ts";
import { policyCommand } from "./policy.ts";
import { reportError } from "./report.ts";
import { runCommand } from "./run.ts";
import { serveCommand } from "./serve.ts";
import { Session } from "./session.ts";
import { toolCommand } from "./tool.ts";
import { VERSION } from "./version.ts";

const NAME = "wasm-sandbox";

const DESCRIPTION = `Run untrusted WebAssembly under limits that hold.

Exit codes:
${EXIT_CODE_HELP}`;

/**
 * Runs the command line. Nothing here ends the process.
 *
 * @param args The arguments, without the name of the program.
 * @param host The world around, this process by default.
 * @returns The exit code; `exit_codes.ts` lists them.
 */
export async function main(
  args: readonly string[],
  host: CliHost = denoHost,
): Promise<number> {
  const session = new Session(host);
  try {
    const command = mainCommand(session);
    const text = textFor(command, args);
    if (text === undefined) await command.parse([...args]);
    else await host.stdout(`${text.trimEnd()}\n`);
    return session.exitCode;
  } catch (error) {
    const own = ownArgs(args);
    return await reportError(host, error, {
      json: own.includes("--json"),
      command: own.find((arg) => !arg.startsWith("-")),
    });
  }
}

function mainCommand(session: Session): Command<any> {
  const { host } = session;
  const colors = host.isTerminal() && !host.noColor;
  return new Command<any>()
    .name(NAME)
    .version(VERSION)
    .description(DESCRIPTION)
    .noExit()
    .help({ colors })
    .globalOption("--json", "Print JSON, errors too.")
    .example("Call", "wasm-sandbox call math.wasm add 2 3")
    .example("Inspect", "wasm-sandbox inspect program.wasm")
    .command("call", callCommand(session))
    .command("run", runCommand(session))
    .command("serve", serveCommand(session))
    .command("mcp", mcpCommand(session))
    .command("tool", toolCommand(session))
    .command("inspect", inspectCommand(session))
    .command("policy", policyCommand(session))
    .command("audit", auditCommand(session))
    .command("backends", backendsCommand(session))
    .command("completions", new CompletionsCommand())
    .reset();
}

/** The help or the version, if that is asked for; cliffy knows one output. */
function textFor(
  command: Command<any>,
  args: readonly string[],
): string | undefined {
  const own = ownArgs(args);
  if (own[0] === "--version" || own[0] === "-V") return `${NAME} ${VERSION}`;
  const [name, part] = own.filter((arg) => !arg.startsWith("-"));
  const wantsHelp = own.includes("--help") || own.includes("-h");
  if (name === undefined) {
    return wantsHelp || own.every((arg) => arg === "--json")
      ? command.getHelp()
      : undefined;
  }
  if (!wantsHelp || name === "completions") return undefined;
  // the help of the whole registers what that of a part shows
  command.getHelp();
  const found = findCommand(command, name);
  if (found === undefined) return undefined;
  const inner = part === undefined ? undefined : findCommand(found, part);
  // as above: the help of the whole goes first
  const help = found.getHelp();
  return inner?.getHelp() ?? help;
}

function findCommand(
  command: Command<any>,
  name: string,
): Command<any> | undefined {
  return command.getCommands().find((each) => each.getName() === name);
}

/** The arguments that are not only passed on. */
function ownArgs(args: readonly string[]): readonly string[] {
  const end = args.indexOf("--");
  return end < 0 ? args : args.slice(0, end);
}
