/**
 * What an instance asks of its host, for one call after the other.
 *
 * @module
 */

import {
  ExtismHost,
  type ExtismSettings,
  type FunctionNames,
} from "../communication/extism/mod.ts";
import { GuestFault } from "../communication/fault.ts";
import { GuestImports } from "../communication/guest_imports.ts";
import type {
  BeginOptions,
  CallServices,
  CallStreams,
  GuestServices,
  ServiceProvider,
} from "../communication/types.ts";
import type { ResolvedLimits } from "../security/limits.ts";
import { instanceBusy } from "./calls.ts";
import type { HostModule, Module } from "./types.ts";

/** What Extism plug-ins are given. */
export interface ExtismParts {
  /** Configuration and bounds. */
  readonly settings: ExtismSettings;
  /** Functions of the host that may be imported. */
  readonly functions: FunctionNames;
}

/** What a host is to an instance. */
export interface GuestHostOptions {
  /** Makes the services of each call. */
  readonly services: ServiceProvider;
  /** The limits of the guest. */
  readonly limits: ResolvedLimits;
  /** What it is given as an Extism plug-in, if it is one. */
  readonly extism?: ExtismParts & { readonly maxPages: number } | undefined;
  /**
   * The module, `main`, and those that it is linked with, by name; only an
   * Extism plug-in needs them.
   *
   * @default {{}}
   */
  readonly modules?: Readonly<Record<string, Module>>;
}

/** The host of one instance. */
export class GuestHost {
  readonly #provider: ServiceProvider;
  readonly #imports: GuestImports;
  /** Its plug-in's side, if the instance is an Extism plug-in. */
  readonly extism: ExtismHost | undefined;
  /** What the instance imports. */
  readonly modules: readonly HostModule[];
  #services: CallServices | undefined;

  /**
   * Constructs it.
   *
   * @param options What it offers.
   */
  constructor(
    { services: provider, limits, extism, modules = {} }: GuestHostOptions,
  ) {
    const services = () => this.services;
    this.#provider = provider;
    this.#imports = new GuestImports({ services, limits });
    this.extism = extism && new ExtismHost({ ...extism, services });
    const { main: _main, ...linked } = modules;
    const own = this.extism?.modules(
      Object.values(modules),
      Object.keys(linked),
    );
    this.modules = [this.#imports.module, ...(own ?? [])];
  }

  /** The services of the call that runs. */
  get services(): GuestServices {
    if (this.#services !== undefined) return this.#services;
    throw new GuestFault("closed", "the call is over");
  }

  /**
   * Serves one call.
   *
   * @param name Name of the export.
   * @param streams Its streams.
   * @param call Makes the call.
   * @returns What the call returns.
   * @throws {SandboxError} With code `guest-error`, if the guest says that it
   * failed; with `instance-busy`, if another call is not over; else what the
   * call throws.
   */
  async serve<T>(
    name: string,
    streams: CallStreams,
    call: () => Promise<T>,
  ): Promise<T> {
    const services = this.#begin(name, streams);
    try {
      const result = await call();
      this.#requireSuccess();
      await services.end();
      return result;
    } catch (error) {
      // the guest's own failure is told, whatever becomes of the streams
      await services.end(error ?? new Error("cancelled")).catch(() => {});
      throw error;
    } finally {
      this.#services = undefined;
    }
  }

  /**
   * As {@linkcode GuestHost.serve}, in the calling thread and without streams.
   *
   * @param name Name of the export.
   * @param call Makes the call.
   * @returns What the call returns.
   */
  serveSync<T>(name: string, call: () => T): T {
    const services = this.#begin(name, {}, { canWait: false });
    let failure: unknown;
    try {
      const result = call();
      this.#requireSuccess();
      return result;
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      this.#services = undefined;
      // there are no streams whose errors could be told
      services.end(failure).catch(() => {});
    }
  }

  /** One call at a time: another would have its services, and its failure. */
  #begin(
    name: string,
    streams: CallStreams,
    options?: BeginOptions,
  ): CallServices {
    if (this.#services !== undefined) throw instanceBusy(name);
    const services = this.#provider.begin(streams, options);
    this.#services = services;
    this.#imports.begin(name);
    return services;
  }

  #requireSuccess(): void {
    const failure = this.#imports.takeFailure();
    if (failure !== undefined) throw failure;
  }
}
