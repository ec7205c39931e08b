/**
 * The command `mcp`: tools for agents, from a manifest.
 *
 * @module
 */

// deno-lint-ignore-file no-explicit-any -- `any` switches cliffy's inference off

import { Command, ValidationError } from "@cliffy/command";
import { printable, reasonOf } from "../_text.ts";
import type { McpServer } from "../wrappers/mcp_server.ts";
import type {
  McpErrorContext,
  McpServerOptions,
} from "../wrappers/mcp/types.ts";
import { withoutAbortWarning } from "./abort_warning.ts";
import { LineLog } from "./line_log.ts";
import {
  LISTEN_FLAGS,
  listenAt,
  type ListenFlags,
  listenOptions,
  listenUntilStopped,
  withListening,
} from "./listening.ts";
import { created, manifestOptions } from "./manifests.ts";
import { nameType, noArguments } from "./positional.ts";
import type { Session } from "./session.ts";

const PORT = 8000;

/** Where a server answers, unless its manifest says otherwise. */
const PATH = "/mcp";

/** The values of the flags of `mcp`. */
interface McpFlags extends ListenFlags {
  readonly http?: true;
  readonly json?: true;
}

const FLAGS = [...LISTEN_FLAGS, "--http", "--json", "--help"];

const DESCRIPTION = `Run an MCP server from a manifest.

The manifest has a section mcp_server, whose tools, resources and prompts are
guests, each under a policy and limits of its own; docs/mcp-server.md describes
it. The client, such as an agent, starts this command and talks to it over the
standard streams: nothing else is written to the standard output. With --http it
listens for clients of Streamable HTTP. Failures are lines on the standard error.

It ends when the client closes its input, or on SIGINT or SIGTERM.`;

/**
 * Makes the command `mcp`.
 *
 * @param session The run of the command line.
 * @returns The command.
 */
export function mcpCommand(session: Session): Command<any> {
  const command: Command<any> = new Command<any>()
    .description(DESCRIPTION)
    .type("name", nameType(FLAGS))
    .arguments("<manifest:name>", ["Path of the manifest."])
    .option("--http", "Listen for clients of Streamable HTTP.");
  return withListening(command, PORT)
    .example("Over the standard streams", "wasm-sandbox mcp tools.yaml")
    .example("Over HTTP", "wasm-sandbox mcp tools.yaml --http --port 8080")
    .action(async function (
      this: Command<any>,
      flags: McpFlags,
      file: string,
    ) {
      noArguments(this.getLiteralArgs());
      checkFlags(flags);
      await runServer(session, flags, file);
    });
}

/** Refuses flags that would do nothing. */
function checkFlags(flags: McpFlags): void {
  if (flags.http) return;
  const names = ["port", "host", "cert", "key"] as const;
  const idle = names.find((name) => flags[name] !== undefined);
  if (idle === undefined) return;
  throw new ValidationError(
    `Option "--${idle}": over the standard streams nothing listens (add --http)`,
  );
}

async function runServer(
  session: Session,
  flags: McpFlags,
  file: string,
): Promise<void> {
  const { host } = session;
  const options = await manifestOptions<McpServerOptions>(
    host,
    file,
    "mcp_server",
  );
  const listen = await listenOptions(host, flags, PORT);
  const { McpServer } = await import("../wrappers/mcp_server.ts");
  using _console = withoutAbortWarning();
  await using log = new LineLog(host);
  const onError = (error: unknown, about: McpErrorContext) =>
    log.add(errorLine(error, about));
  await using server = await created(() =>
    McpServer.create({ ...options, onError })
  );
  if (!flags.http) return await talk(session, server);
  const start = () => {
    const service = listenAt(listen, () => server.serve(listen));
    return {
      address: service.addr,
      finished: service.finished,
      shutdown: () => service.shutdown(),
      isIdle: () => isIdle(server),
    };
  };
  await listenUntilStopped(session, start, {
    secure: listen.cert !== undefined,
    path: options.path ?? PATH,
    json: flags.json === true,
  });
}

function isIdle(server: McpServer): boolean {
  const { running, waiting } = server.stats();
  return running + waiting === 0;
}

/** Talks over the standard streams until one of both ends it. */
async function talk({ host }: Session, server: McpServer): Promise<void> {
  const asked = Promise.withResolvers<void>();
  using _signals = host.onStop(() => asked.resolve());
  const { stdin: readable, stdout: writable } = host.streams();
  await using connection = await server.serveStdio({ readable, writable });
  await Promise.race([connection.closed, asked.promise]);
}

function errorLine(
  error: unknown,
  { operation, name }: McpErrorContext,
): string {
  const what = name === undefined ? operation : `${operation} ${name}`;
  return printable(`${new Date().toISOString()} ${what}: ${reasonOf(error)}`);
}
