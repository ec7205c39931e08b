/**
 * The command line of this package.
 *
 * @module
 */

// deno-lint-ignore-file no-explicit-any -- `any` switches cliffy's inference off

import { Command } from "@cliffy/command";
import type { TemplateFactory } from "../templates/mod.ts";
import { auditCommand } from "./audit.ts";
import { backendsCommand } from "./backends.ts";
import { benchCommand } from "./bench.ts";
import { callCommand } from "./call.ts";
import { completionsCommand } from "./completions.ts";
import { type CommandInfo, describe } from "./describe.ts";
import { generateCommand } from "./generate.ts";
import { helpText } from "./help.ts";
import { type CliHost, denoHost } from "./host.ts";
import { inspectCommand } from "./inspect.ts";
import { mcpCommand } from "./mcp.ts";
import { jsonText } from "./output.ts";
import { policyCommand } from "./policy.ts";
import { reportError } from "./report.ts";
import { runCommand } from "./run.ts";
import { serveCommand } from "./serve.ts";
import { Session } from "./session.ts";
import { toolCommand } from "./tool.ts";
import { VERSION } from "./version.ts";

const NAME = "wasm-sandbox";

const DESCRIPTION = "Run untrusted WebAssembly under limits that hold.";

/** Options of {@linkcode main}. */
export interface MainOptions {
  /** The templates of `generate`; the built-in ones, if left out. */
  templates?: TemplateFactory;
}

/**
 * Runs the command line. Nothing here ends the process.
 *
 * @param args The arguments, without the name of the program.
 * @param host The world around, this process by default.
 * @param options What is added to it.
 * @returns The exit code; `exit_codes.ts` lists them.
 */
export async function main(
  args: readonly string[],
  host: CliHost = denoHost,
  options: MainOptions = {},
): Promise<number> {
  const session = new Session(host);
  try {
    const command = mainCommand(session, options);
    session.help = () => helpText(infoFor(command, args), host);
    const text = textFor(session, args);
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

/**
 * Describes all commands.
 *
 * @returns What the help tells of them.
 */
export function describeAll(): CommandInfo {
  return describe(mainCommand(new Session(denoHost), {}));
}

function mainCommand(
  session: Session,
  { templates }: MainOptions,
): Command<any> {
  return new Command<any>()
    .name(NAME)
    .version(VERSION)
    .description(DESCRIPTION)
    .noExit()
    .globalOption("--json", "Print JSON, errors too.")
    .example(
      "Write a project",
      "wasm-sandbox generate http_server my-server",
    )
    .example("Look at a module", "wasm-sandbox inspect program.wasm")
    .example("Call a function", "wasm-sandbox call math.wasm add 2 3")
    .command("generate", generateCommand(session, templates))
    .command("call", callCommand(session))
    .command("run", runCommand(session))
    .command("serve", serveCommand(session))
    .command("mcp", mcpCommand(session))
    .command("tool", toolCommand(session))
    .command("inspect", inspectCommand(session))
    .command("policy", policyCommand(session))
    .command("audit", auditCommand(session))
    .command("backends", backendsCommand(session))
    .command("bench", benchCommand(session))
    .command("completions", completionsCommand(session, templates))
    .reset();
}

/** The help or the version, if that is asked for; cliffy knows one output. */
function textFor(
  session: Session,
  args: readonly string[],
): string | undefined {
  const own = ownArgs(args);
  const first = own.find((arg) => arg !== "--json");
  if (first === "--version" || first === "-V") {
    return own.includes("--json")
      ? jsonText({ version: VERSION })
      : `${NAME} ${VERSION}`;
  }
  const wantsHelp = own.includes("--help") || own.includes("-h") ||
    own.every((arg) => arg === "--json");
  return wantsHelp ? session.help() : undefined;
}

/** The command that arguments name, as far as they name one. */
function infoFor(command: Command<any>, args: readonly string[]): CommandInfo {
  let info = describe(command);
  for (const arg of ownArgs(args).filter((each) => !each.startsWith("-"))) {
    const found = info.commands.find(({ name }) => name === arg);
    if (found === undefined) break;
    info = found;
  }
  return info;
}

/** The arguments that are not only passed on. */
function ownArgs(args: readonly string[]): readonly string[] {
  const end = args.indexOf("--");
  return end < 0 ? args : args.slice(0, end);
}
