/**
 * The commands that listen: their flags, and how they start and stop.
 *
 * @module
 */

// deno-lint-ignore-file no-explicit-any -- `any` switches cliffy's inference off

import { type Command, ValidationError } from "@cliffy/command";
import { printable, quote, reasonOf } from "../_text.ts";
import { cannotRead } from "./file_errors.ts";
import type { CliHost } from "./host.ts";
import type { Session } from "./session.ts";

/** The values of these flags. */
export interface ListenFlags {
  /** `--port`. */
  readonly port?: number;
  /** `--host`. */
  readonly host?: string;
  /** `--cert`. */
  readonly cert?: string;
  /** `--key`. */
  readonly key?: string;
}

/** These flags, to know them by. */
export const LISTEN_FLAGS: readonly string[] = Object.freeze([
  "--port",
  "--host",
  "--cert",
  "--key",
]);

/** Longest certificate and longest key that are read. */
const MAX_PEM_BYTES = 1_048_576;

const MAX_PORT = 65_535;

/** Exit code where what still ran was not waited for. */
const NOT_DRAINED = 5;

/**
 * How long clients may take for the rest of what they were answered, in
 * milliseconds. One that takes nothing, or sends on and on, is not waited for.
 */
const LINGER_MS = 30_000;

/** How often it is looked whether all are answered, in milliseconds. */
const POLL_MS = 100;

/**
 * Adds these flags to a command.
 *
 * @param command The command.
 * @param port The port, unless one is given.
 * @returns The same.
 */
export function withListening(
  command: Command<any>,
  port: number,
): Command<any> {
  return command
    .type("port", ({ value }) => portOf(value))
    .option("--port <port:port>", `Where to listen; 0 is any (${port}).`)
    .option("--host <address:string>", "Address to listen at (127.0.0.1).")
    .option("--cert <file:string>", "Certificates in PEM, for TLS.")
    .option("--key <file:string>", "Key of the certificate, in PEM.");
}

function portOf(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : MAX_PORT + 1;
  if (port <= MAX_PORT) return port;
  throw new ValidationError(
    `Option "--port": ${quote(text)} is no port (write 0 to ${MAX_PORT})`,
  );
}

/** Where to listen, as `Deno.serve` takes it. */
export interface ListenOptions {
  /** The port. */
  readonly port: number;
  /** The address. */
  readonly hostname: string;
  /** Certificates in PEM. */
  readonly cert?: string;
  /** The key in PEM. */
  readonly key?: string;
}

/**
 * Where the flags say to listen.
 *
 * @param host What files are read from.
 * @param flags The flags.
 * @param standardPort The port, unless one is given.
 * @returns What `Deno.serve` takes.
 * @throws {ValidationError} If a file cannot be read, or one of two is missing.
 */
export async function listenOptions(
  host: CliHost,
  flags: ListenFlags,
  standardPort: number,
): Promise<ListenOptions> {
  const { port = standardPort, host: hostname = "127.0.0.1", cert, key } =
    flags;
  if (cert === undefined && key === undefined) return { port, hostname };
  if (cert === undefined || key === undefined) {
    throw new ValidationError('TLS takes both "--cert" and "--key"');
  }
  return {
    port,
    hostname,
    cert: await readPem(host, "the certificate", cert),
    key: await readPem(host, "the key", key),
  };
}

async function readPem(
  host: CliHost,
  what: string,
  path: string,
): Promise<string> {
  try {
    const bytes = await host.readFile(path, MAX_PEM_BYTES);
    if (bytes.length <= MAX_PEM_BYTES) return new TextDecoder().decode(bytes);
  } catch (error) {
    throw cannotRead(what, path, error);
  }
  throw new ValidationError(
    `Cannot read ${what} ${quote(path)}: it is longer than 1 MiB`,
  );
}

/** What listens. */
export interface Service {
  /** Where. */
  readonly address: Deno.NetAddr;
  /** Resolves when it has ended. */
  readonly finished: Promise<void>;
  /** Takes nothing new, and answers what was accepted. */
  shutdown(): Promise<void>;
  /** Whether everything that was accepted is answered. */
  isIdle(): boolean;
}

/** What a service is, for the line that says where it listens, and its end. */
export interface ServiceText {
  /** Whether it speaks TLS. */
  readonly secure: boolean;
  /** Path of its address: `/mcp`. */
  readonly path?: string;
  /** Whether to print JSON on the standard output. */
  readonly json: boolean;
  /**
   * How long clients may take for the rest of what they were answered, in
   * milliseconds.
   *
   * @default {30_000}
   */
  readonly lingerMs?: number;
}

/**
 * Starts to listen, says where, and waits until it is asked to stop. What was
 * accepted by then is answered; being asked once more ends that, too.
 *
 * @param session The run of the command line.
 * @param start Starts to listen.
 * @param text What it is.
 * @throws {Error} If the address cannot be had.
 */
export async function listenUntilStopped(
  session: Session,
  start: () => Service,
  text: ServiceText,
): Promise<void> {
  const asked = Promise.withResolvers<void>();
  const insisted = Promise.withResolvers<void>();
  let times = 0;
  // before it listens: no moment in which a signal would end the process
  using _signals = session.host.onStop(() =>
    ++times === 1 ? asked.resolve() : insisted.resolve()
  );
  const service = start();
  await announce(session, service.address, text);
  await Promise.race([asked.promise, service.finished]);
  if (times === 0) return;
  const { lingerMs = LINGER_MS } = text;
  if (await shutDown(service, insisted.promise, lingerMs)) return;
  session.exitCode = NOT_DRAINED;
}

/** Ends a service; false if somebody insists before it has. */
async function shutDown(
  service: Service,
  insisted: Promise<void>,
  lingerMs: number,
): Promise<boolean> {
  const { promise: lingered, resolve: giveUp } = Promise.withResolvers<void>();
  let idleSince = Infinity;
  const timer = setInterval(() => {
    const now = performance.now();
    idleSince = service.isIdle() ? Math.min(idleSince, now) : Infinity;
    if (now - idleSince >= lingerMs) giveUp();
  }, Math.min(lingerMs, POLL_MS));
  const done = service.shutdown();
  // where it is not waited for, how it goes matters to nobody any more
  done.catch(() => {});
  try {
    return await Promise.race([
      Promise.race([done, lingered]).then(() => true),
      insisted.then(() => false),
    ]);
  } finally {
    clearInterval(timer);
  }
}

async function announce(
  session: Session,
  { hostname, port }: Deno.NetAddr,
  { secure, path = "/", json }: ServiceText,
): Promise<void> {
  const at = addressText(hostname, port);
  const url = `${secure ? "https" : "http"}://${at}${path}`;
  if (json) return await session.printJson({ url, hostname, port });
  await session.host.stderr(`listening on ${url}\n`);
}

function addressText(hostname: string, port: number): string {
  const isBare = hostname.includes(":") && !hostname.startsWith("[");
  return `${isBare ? `[${hostname}]` : hostname}:${port}`;
}

/**
 * Turns what the operating system says about an address into words.
 *
 * @param options Where to listen.
 * @param start Listens.
 * @returns What that gives.
 * @throws {Error} That names the address, and what to do.
 */
export function listenAt<T>(
  { hostname, port, cert }: ListenOptions,
  start: () => T,
): T {
  try {
    return start();
  } catch (cause) {
    const at = printable(addressText(hostname, port));
    const why = whyNot(cause, cert !== undefined);
    throw new Error(`Cannot listen at ${at}: ${why}`, { cause });
  }
}

function whyNot(error: unknown, isSecure: boolean): string {
  if (error instanceof Deno.errors.AddrInUse) {
    return "the port is in use (choose another with --port, or 0 for any)";
  }
  if (error instanceof Deno.errors.AddrNotAvailable) {
    return "this machine does not have the address (see --host)";
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return "the operating system does not permit it (ports below 1024 are " +
      "for its administrator; see --port)";
  }
  const why = reasonOf(error);
  const isOfHost = error instanceof URIError || why.includes("lookup");
  return isSecure && !isOfHost
    ? `the certificate and the key do not serve: ${why} (see --cert and --key)`
    : `${why} (see --host)`;
}
