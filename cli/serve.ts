/**
 * The command `serve`: a module behind HTTP.
 *
 * @module
 */

// deno-lint-ignore-file no-explicit-any -- `any` switches cliffy's inference off

import { Command, ValidationError } from "@cliffy/command";
import { printable, quote, reasonOf } from "../_text.ts";
import type {
  HttpAccess,
  HttpGuestForm,
  HttpServerOptions,
} from "../wrappers/http/types.ts";
import { withoutAbortWarning } from "./abort_warning.ts";
import { choiceOf } from "./choices.ts";
import {
  grantsOf,
  GUEST_FLAGS,
  type GuestFlags,
  withGrants,
} from "./guest_flags.ts";
import {
  LISTEN_FLAGS,
  listenAt,
  type ListenFlags,
  listenOptions,
  listenUntilStopped,
  withListening,
} from "./listening.ts";
import {
  settingsOf,
  SHARED_FLAGS,
  type SharedFlags,
  withLimits,
} from "./limits.ts";
import { LineLog } from "./line_log.ts";
import { created, isManifest, manifestOptions } from "./manifests.ts";
import { jsonText } from "./output.ts";
import { nameType, noArguments } from "./positional.ts";
import type { Session } from "./session.ts";

const PORT = 8000;

/** The values of the flags of `serve`. */
interface ServeFlags extends SharedFlags, GuestFlags, ListenFlags {
  readonly form?: HttpGuestForm;
  readonly handler?: string;
  readonly maxConcurrent?: number;
  readonly quiet?: true;
}

const FLAGS = [
  ...SHARED_FLAGS,
  ...GUEST_FLAGS,
  ...LISTEN_FLAGS,
  "--form",
  "--handler",
  "--max-concurrent",
  "--quiet",
];

/** Flags that grant; a manifest says by itself what is granted. */
const GRANTING = ["policy", "dir", "env", "grant"] as const;

const DESCRIPTION = `Serve a module over HTTP.

A WASI program, which exports _start, runs anew for each request, as a CGI
program: it is granted what run grants. Of other modules the export handle
(--handler) takes the requests. A manifest with a section http_server says all
of this by itself; limits given as flags go before its own.

SIGINT and SIGTERM end it as soon as every request that was accepted is
answered; a second one ends it at once, with exit code 5. Each request is a line
on the standard error: when it came, from where, its status, how long it took,
bytes in and out, and what was asked for, without the query. --verbose prints at
the end what was done.`;

/**
 * Makes the command `serve`.
 *
 * @param session The run of the command line.
 * @returns The command.
 */
export function serveCommand(session: Session): Command<any> {
  const command: Command<any> = new Command<any>()
    .description(DESCRIPTION)
    .type("name", nameType(FLAGS))
    .type("form", choiceOf("--form"))
    .type("positive", ({ value }) => positiveOf(value))
    .arguments("<file:name>", ["Path or URL of a module, or a manifest."]);
  return withGrants(withLimits(withListening(command, PORT)))
    .option("--form <form:form>", "Its form: handler or command.")
    .option("--handler <name:string>", "The export that takes requests.")
    .option("--max-concurrent <count:positive>", "Most requests at a time.")
    .option("--quiet", "Print no line for each request.")
    .example("Serve", "wasm-sandbox serve app.wasm --port 8080")
    .example("Serve by a manifest", "wasm-sandbox serve app.yaml")
    .example(
      "Serve with TLS",
      "wasm-sandbox serve app.wasm --cert cert.pem --key key.pem --port 8443",
    )
    .action(async function (
      this: Command<any>,
      flags: ServeFlags,
      file: string,
    ) {
      noArguments(this.getLiteralArgs());
      await serve(session, flags, file);
    });
}

function positiveOf(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new ValidationError(
    `Option "--max-concurrent": ${quote(text)} is no count (write 1 or more)`,
  );
}

async function serve(
  session: Session,
  flags: ServeFlags,
  file: string,
): Promise<void> {
  const { host } = session;
  const json = flags.json === true;
  const options = await optionsOf(session, flags, file);
  const listen = await listenOptions(host, flags, PORT);
  const { HttpServer } = await import("../wrappers/http_server.ts");
  using _console = withoutAbortWarning();
  await using log = new LineLog(host);
  const onAccess = (entry: HttpAccess) => log.add(accessLine(entry, json));
  const logged = flags.quiet ? options : { ...options, onAccess };
  await using server = await created(() => HttpServer.create(logged));
  const start = () => {
    const service = listenAt(listen, () => server.serve(listen));
    return {
      address: service.address,
      finished: service.finished,
      shutdown: () => service.shutdown(),
      isIdle: () => server.stats().active === 0,
    };
  };
  const secure = listen.cert !== undefined;
  await listenUntilStopped(session, start, { secure, json });
  if (flags.verbose) log.add(jsonText(server.stats()));
}

/** A request in a line, in which nothing of the client's can move a cursor. */
function accessLine(entry: HttpAccess, json: boolean): string {
  const { time, method, path, remoteAddress = "-", status, error } = entry;
  const { requestBytes, responseBytes } = entry;
  const durationMs = Math.round(entry.durationMs * 1e3) / 1e3;
  const at = new Date(time).toISOString();
  const why = error === undefined ? undefined : reasonOf(error);
  if (json) return jsonText({ ...entry, time: at, durationMs, error: why });
  const line = `${at} ${remoteAddress} ${status} ${durationMs}ms ` +
    `${requestBytes}>${responseBytes} ${method} ${path}`;
  return printable(why === undefined ? line : `${line} (${why})`);
}

/** The options of the server: those of the manifest, and the flags above it. */
async function optionsOf(
  session: Session,
  flags: ServeFlags,
  file: string,
): Promise<HttpServerOptions> {
  const { form, handler, maxConcurrent } = flags;
  const own = {
    ...(form === undefined ? {} : { form }),
    ...(handler === undefined ? {} : { handler }),
    ...(maxConcurrent === undefined
      ? {}
      : { maxConcurrentRequests: maxConcurrent }),
  };
  const base = isManifest(file)
    ? await manifestGuest(session, flags, file)
    : await moduleGuest(session, flags, file);
  const settings = settingsOf(flags);
  const given: Record<string, unknown> = { ...base, ...own };
  for (const name of ["limits", "features", "abi"] as const) {
    // some forms refuse some of them: what nobody gave is not there
    if (Object.keys(settings[name]).length === 0) continue;
    given[name] = { ...base[name], ...settings[name] };
  }
  return given as unknown as HttpServerOptions;
}

async function manifestGuest(
  { host }: Session,
  flags: ServeFlags,
  file: string,
): Promise<HttpServerOptions> {
  const granting = GRANTING.find((name) => flags[name] !== undefined);
  if (granting !== undefined) {
    throw new ValidationError(
      `Option "--${granting}": ${quote(file)} says by itself what is granted ` +
        "(write it there)",
    );
  }
  const options = await manifestOptions<HttpServerOptions>(
    host,
    file,
    "http_server",
  );
  const { isolation, runtime } = flags;
  return {
    ...options,
    ...(isolation === undefined ? {} : { isolation }),
    ...(runtime === undefined ? {} : { runtime }),
  };
}

async function moduleGuest(
  session: Session,
  flags: ServeFlags,
  file: string,
): Promise<HttpServerOptions> {
  const granted = await grantsOf(flags);
  const { limits } = settingsOf(flags);
  const module = await session.moduleSource(file, { limits });
  return { module, ...granted };
}
