/** Opens the guests of a server, in the form that they have. */

import { messageHandlers } from "../../communication/guest_abi.ts";
import { isProcedure } from "../../runtime/calls.ts";
import type { ModuleImport, OperationOptions } from "../../runtime/types.ts";
import { exportNotFound } from "../../runtime/v8/live.ts";
import { Capabilities } from "../../security/capabilities.ts";
import { resolveLimits } from "../../security/limits.ts";
import { SecurityPolicy } from "../../security/policy.ts";
import { guestOptionsOf } from "../guest_options.ts";
import { GuestPool, type GuestPoolOptions } from "../guest_pool.ts";
import { readOnce } from "../pool/read_once.ts";
import { Bodies } from "./body.ts";
import { Command } from "./command.ts";
import { commandGrants } from "./command_policy.ts";
import { isProgram } from "./form.ts";
import { type Answerer, Handler, noHandler } from "./handler.ts";
import { limitsOf, type Settings } from "./settings.ts";
import { RESPOND, Responders, StreamingHandler } from "./streaming.ts";

/** Guests, and who answers by them. */
export interface Guests {
  readonly pool: GuestPool;
  readonly answerer: Answerer;
  /** Bodies of requests, to be disposed with the pool. */
  readonly bodies: Bodies;
}

/**
 * Opens a pool of guests.
 *
 * @param settings What they are, and under which bounds.
 * @param operation Cancellation.
 * @returns The pool, and who answers by it.
 * @throws {SandboxError} As a sandbox does.
 * @throws {TypeError} If an option does not fit the form.
 */
export async function openGuests(
  settings: Settings,
  operation: OperationOptions,
): Promise<Guests> {
  const limits = limitsOf(settings);
  resolveLimits(limits);
  const read = await readOnce({ ...settings, limits }, operation);
  const form = read.form ??
    (isProgram(read.module as Uint8Array) ? "command" : "handler");
  return form === "command"
    ? await openCommand(read, operation)
    : await openHandler(read, operation);
}

async function openCommand(
  settings: Settings,
  operation: OperationOptions,
): Promise<Guests> {
  refuseHandlerOptions(settings);
  const grants = commandGrants(settings);
  const pool = await openPool(settings, operation, {
    policy: grants.policy,
    instance: "fresh",
  });
  return await kept(pool, settings, (bodies) => {
    if (!isProcedure(pool.exports, "_start")) {
      throw exportNotFound("_start", pool.exports);
    }
    return new Command(pool, settings, { bodies, grants });
  });
}

/** They would be ignored. */
function refuseHandlerOptions({ given, instance }: Settings): void {
  const name = ["handler", "format", "abi"].find((each) => given.has(each)) ??
    (given.has("instance") && instance !== "fresh" ? "instance" : undefined);
  if (name === undefined) return;
  throw new TypeError(
    `Cannot create http_server: ${name} is for handlers, and the module is run ` +
      `as a command, anew for each request (leave ${name} out, or set form)`,
  );
}

async function openHandler(
  settings: Settings,
  operation: OperationOptions,
): Promise<Guests> {
  const { handler, hostFunctions = {} } = settings;
  if (Object.hasOwn(hostFunctions, RESPOND)) {
    throw new TypeError(
      `Cannot create http_server: hostFunctions has "${RESPOND}", which is ` +
        "the server's own (choose another name)",
    );
  }
  const responders = new Responders();
  const pool = await openPool(settings, operation, {
    policy: withRespond(settings),
    open: responders.open,
  });
  return await kept(pool, settings, (bodies) => {
    if (!pool.exports.some(({ name }) => name === handler)) {
      throw exportNotFound(handler, pool.exports);
    }
    if (!messageHandlers(pool.exports, settings.abi).has(handler)) {
      throw noHandler(handler);
    }
    const { messageBytes: maxMessageBytes } = resolveLimits(
      settings.limits ?? {},
    );
    const uses = (name: string) => usesImport(pool.imports, name);
    const directions = { reads: uses("read"), writes: uses("write") };
    if (directions.reads || directions.writes) {
      const parts = { bodies, directions, responders, maxMessageBytes };
      return new StreamingHandler(pool, settings, parts);
    }
    const isSync = pool.isolation === "inline" &&
      settings.instance === "reuse" && settings.linked === undefined &&
      !["call", "receive", "send"].some(uses);
    return new Handler(pool, settings, { bodies, isSync, maxMessageBytes });
  });
}

function openPool(
  settings: Settings,
  operation: OperationOptions,
  more: Partial<GuestPoolOptions>,
): Promise<GuestPool> {
  const { instance, maxInstances } = settings;
  return GuestPool.create({
    ...guestOptionsOf(settings),
    instance,
    maxInstances,
    what: "requests",
    ...more,
  }, operation);
}

/** Lets the pool go if there is nobody to answer by it. */
async function kept(
  pool: GuestPool,
  settings: Settings,
  make: (bodies: Bodies) => Answerer,
): Promise<Guests> {
  try {
    const bodies = new Bodies(settings);
    return { pool, bodies, answerer: make(bodies) };
  } catch (error) {
    await pool[Symbol.asyncDispose]();
    throw error;
  }
}

function usesImport(imports: readonly ModuleImport[], name: string): boolean {
  return imports.some((each) =>
    each.module === "wasm_sandbox" && each.name === name
  );
}

/** A policy that names functions of the host has to name this one, too. */
function withRespond(
  { policy = [], capabilityKinds }: Settings,
): SecurityPolicy {
  const given = policy instanceof SecurityPolicy
    ? policy
    : SecurityPolicy.from(policy, capabilityKinds);
  return given.find("host_functions") === undefined
    ? given
    : given.allowCapability(Capabilities.hostFunctions([RESPOND]));
}
