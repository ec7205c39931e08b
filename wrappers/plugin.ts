/**
 * Plugins: modules by name, that are loaded, checked, called, replaced while
 * they are called, and contained.
 *
 * ```ts
 * import { PluginHost } from "@wasm-sandbox/core/plugin";
 * import { assertEquals } from "@std/assert";
 *
 * await using host = await PluginHost.create({
 *   plugins: {
 *     stats: { module: "examples/guests/c/text_stats.wasm" },
 *   },
 * });
 * const [plugin] = host.list();
 * assertEquals(plugin?.name, "stats");
 * assertEquals(plugin?.state, "serving");
 * ```
 *
 * @module
 */

import { quote, reasonOf } from "../_text.ts";
import { SandboxError } from "../errors.ts";
import type { OperationOptions } from "../runtime/types.ts";
import type { Sandbox } from "../sandbox.ts";
import type {
  ExecuteOptions,
  ExecuteResult,
  SandboxCallOptions,
} from "../sandbox_options.ts";
import { checkWrapperOptions } from "./check_options.ts";
import { Gate } from "./gate.ts";
import type { CallTerms } from "./plugin/blame.ts";
import { hostDisposed, unknownPlugin } from "./plugin/errors.ts";
import { PluginEvents } from "./plugin/events.ts";
import { checkPluginName } from "./plugin/names.ts";
import {
  checkPlugin,
  copyOptions,
  PLUGIN_SCHEMA,
  pluginSchema,
  type Settings,
  settingsOf,
} from "./plugin/schema.ts";
import { Shelf } from "./plugin/shelf.ts";
import type { PluginSlot } from "./plugin/slot.ts";
import type {
  PluginEvent,
  PluginHostOptions,
  PluginInfo,
  PluginOptions,
  ReloadOptions,
} from "./plugin/types.ts";
import { orAborted } from "./plugin/wait.ts";
import type { Wrapper, WrapperKind } from "./types.ts";

export type * from "./plugin/types.ts";

/** Files that are in memory and may yet turn out to be nothing. */
const READ_AT_A_TIME = 2;

/**
 * Hosts plugins. A plugin is a module with a name; what it may do and use is
 * what its policy asks for, if that is no more than was granted.
 *
 * @example A plugin that is replaced while it serves
 * ```ts
 * import { PluginHost } from "@wasm-sandbox/core/plugin";
 * import { assertEquals } from "@std/assert";
 *
 * const directory = await Deno.makeTempDir();
 * const module = "tests/plugin/guests/counter_1.wasm";
 * await Deno.copyFile(module, `${directory}/counter.wasm`);
 *
 * await using host = await PluginHost.create({
 *   directory,
 *   requires: { add: "message" },
 * });
 * assertEquals(host.get("counter")?.version, "1.0.0");
 * assertEquals(await host.call("counter", "add", 2), 2);
 *
 * const next = "tests/plugin/guests/counter_2.wasm";
 * await Deno.copyFile(next, `${directory}/counter.wasm`);
 * await host.reload("counter");
 * assertEquals(host.get("counter")?.version, "2.0.0");
 * await Deno.remove(directory, { recursive: true });
 * ```
 */
export class PluginHost implements Wrapper {
  /** The name that its kind is registered under. */
  readonly wrapperType = "plugin";
  readonly #settings: Settings;
  readonly #events: PluginEvents;
  readonly #shelf: Shelf;
  #disposal: Promise<void> | undefined;

  private constructor(settings: Settings) {
    this.#settings = settings;
    this.#events = new PluginEvents(settings.onEvent);
    const gate = new Gate({
      maxInside: settings.maxConcurrentCalls,
      // only calls that have a guest come here
      maxWaiting: Infinity,
      what: "calls of plugins",
    });
    const reading = new Gate({
      maxInside: READ_AT_A_TIME,
      maxWaiting: Infinity,
      what: "files of plugins",
    });
    this.#shelf = new Shelf({ settings, gate, reading, events: this.#events });
  }

  /**
   * Makes a host, and loads the plugins that are named and those of the
   * directory. One that is named and cannot be loaded is an error, unless it
   * waits for approval; one of the directory is an event, and in the list.
   *
   * @param given Which plugins there are, and what they may do.
   * @param operation Cancellation.
   * @returns The host; dispose it when done.
   * @throws {SandboxError} If a plugin that is named cannot be loaded, or the
   * directory cannot be read.
   * @throws {TypeError} If the options are wrong; says all that is.
   */
  static async create(
    given: PluginHostOptions = {},
    { signal }: OperationOptions = {},
  ): Promise<PluginHost> {
    signal?.throwIfAborted();
    const options = copyOptions(given);
    checkWrapperOptions("plugin", options, PLUGIN_SCHEMA);
    const read = settingsOf(options);
    const directory = await realPath(read.directory);
    const host = new PluginHost({ ...read, directory });
    const stop = () => void host[Symbol.asyncDispose]();
    signal?.addEventListener("abort", stop);
    try {
      await host.#shelf.fill();
      signal?.throwIfAborted();
      return host;
    } catch (error) {
      await host[Symbol.asyncDispose]();
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  /**
   * Everything that happens from the moment that somebody listens, until the
   * host is disposed. Of each listener at most 1,000 events wait.
   */
  get events(): AsyncIterable<PluginEvent> {
    return this.#events;
  }

  /**
   * All plugins, by name.
   *
   * @returns What there is to know of each, at this moment.
   */
  list(): readonly PluginInfo[] {
    return this.#shelf.slots().map((slot) => slot.info())
      .sort((a, b) => a.name < b.name ? -1 : 1);
  }

  /**
   * One plugin.
   *
   * @param name Its name.
   * @returns What there is to know of it; undefined, if there is none.
   */
  get(name: string): PluginInfo | undefined {
    return this.#shelf.find(name)?.info();
  }

  /**
   * Loads a plugin.
   *
   * @param name Its name.
   * @param source What it is made from. Without it the plugin is the one of this
   * name in the options, or in the directory.
   * @returns What there is to know of it.
   * @throws {SandboxError} If it is not what it must be; with the code
   * `plugin-unavailable` it stays, and waits for approval.
   * @throws {TypeError} If it is loaded already, or the options are wrong.
   */
  async load(name: string, source?: PluginOptions): Promise<PluginInfo> {
    this.#use();
    checkPluginName(name);
    const slot = await this.#shelf.load(name, this.#checked(name, source));
    return slot.info();
  }

  /**
   * Unloads a plugin: no call comes in any more, those that run may end within
   * `drainTimeoutMs`.
   *
   * @param name Its name.
   * @throws {SandboxError} With code `unknown-name`.
   */
  async unload(name: string): Promise<void> {
    await this.#shelf.unload(this.#slot(name));
  }

  /**
   * Reads a plugin again. The new version is checked beside the old one; then
   * new calls go to it, and calls that run end on the old one. If anything is
   * wrong the old one goes on. Whoever asks while another reload has not begun
   * shares it.
   *
   * @param name Its name.
   * @param options Whether the state goes with it, and cancellation: of the
   * waiting, not of the reload.
   * @returns What there is to know of it.
   * @throws {SandboxError} If the new version is not what it must be; with code
   * `plugin-unavailable` it waits for approval.
   */
  async reload(name: string, options: ReloadOptions = {}): Promise<PluginInfo> {
    const { signal } = options;
    signal?.throwIfAborted();
    const slot = this.#slot(name);
    await orAborted(slot.versions.reload(options), signal);
    return slot.info();
  }

  /**
   * Approves of a version that asks for more than was granted. It is the version
   * that was read then, whatever the files hold by now.
   *
   * @param name Name of the plugin.
   * @param sha256 The `sha256` of the request in {@linkcode PluginInfo}: of the
   * module and of all that it asks for.
   * @returns What there is to know of it.
   * @throws {SandboxError} If no such request waits, or the version is not what
   * it must be.
   */
  async approve(name: string, sha256: string): Promise<PluginInfo> {
    const slot = this.#slot(name);
    if (typeof sha256 !== "string") {
      throw new TypeError("Cannot approve: pass the sha256 of the request");
    }
    await slot.versions.approve(sha256);
    return slot.info();
  }

  /**
   * Lets a plugin out of quarantine, or out of waiting.
   *
   * @param name Its name.
   * @throws {SandboxError} With code `unknown-name`.
   */
  release(name: string): void {
    this.#slot(name).release();
  }

  /**
   * Calls a function of a plugin.
   *
   * @typeParam T What the caller knows the function to return. What it does
   * return is the plugin's choice: check it.
   * @param plugin Name of the plugin.
   * @param name Name of the export.
   * @param input As for a sandbox: numbers, JSON or bytes.
   * @param options As for a sandbox.
   * @returns What the function returns.
   * @throws {SandboxError} As a sandbox does; with code `unknown-name`,
   * `plugin-unavailable` or `overloaded` nothing was called.
   */
  async call<T = unknown>(
    plugin: string,
    name: string,
    input?: unknown,
    options: SandboxCallOptions = {},
  ): Promise<T> {
    const given = { ...options };
    const { source, sink } = given;
    const hasStreams = source !== undefined || sink !== undefined;
    return await this.#lend(
      plugin,
      (sandbox) => sandbox.call<T>(name, input, given),
      { ...given, hasStreams },
    );
  }

  /**
   * Runs a plugin that is a WASI command.
   *
   * @param plugin Name of the plugin.
   * @param args The arguments, without the program's name.
   * @param options As for a sandbox.
   * @returns Exit code, output and files.
   * @throws {SandboxError} As a sandbox does, and as `call` does.
   */
  async execute(
    plugin: string,
    args: readonly string[] = [],
    options: ExecuteOptions = {},
  ): Promise<ExecuteResult> {
    const given = { ...options };
    const { stdin, stdout, stderr } = given;
    const hasStreams = stdin instanceof ReadableStream ||
      stdout !== undefined || stderr !== undefined;
    return await this.#lend(
      plugin,
      (sandbox) => sandbox.execute(args, given),
      { ...given, hasStreams },
    );
  }

  /**
   * Watches the directory, and the directories of modules that are files: what
   * changes is reloaded, what is new in the directory is loaded. What goes wrong
   * is an event. A plugin whose file is gone goes on.
   *
   * @returns What ends it, and waits for the reloads that it has begun; so does
   * the end of the host.
   */
  watch(): AsyncDisposable {
    this.#use();
    return this.#shelf.watch();
  }

  /** Ends watching, and all plugins; calls that run fail. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#disposal ??= this.#dispose();
  }

  async #dispose(): Promise<void> {
    await this.#shelf[Symbol.asyncDispose]();
    this.#events[Symbol.dispose]();
  }

  async #lend<T>(
    plugin: string,
    run: (sandbox: Sandbox) => Promise<T>,
    { signal, timeoutMs, hasStreams }: CallTerms,
  ): Promise<T> {
    const terms = { signal, timeoutMs, hasStreams };
    return await this.#slot(plugin).use(run, terms);
  }

  /** The options of a plugin that is not in those of the host. */
  #checked(
    name: string,
    given: PluginOptions | undefined,
  ): PluginOptions | undefined {
    if (given === undefined) return undefined;
    const options = { ...given };
    checkWrapperOptions(`plugin "${name}"`, options, pluginSchema());
    checkPlugin(name, options, this.#settings);
    return options;
  }

  #slot(name: string): PluginSlot {
    this.#use();
    const slot = this.#shelf.find(name);
    if (slot !== undefined) return slot;
    throw unknownPlugin(
      String(name),
      this.#shelf.slots().map((each) => each.name),
    );
  }

  #use(): void {
    if (this.#disposal !== undefined) throw hostDisposed();
  }
}

/** The kind of wrapper that a plugin host is. */
export const PLUGIN: WrapperKind<PluginHostOptions> = Object.freeze({
  type: "plugin",
  description: "Plugins that are loaded, checked, replaced and contained.",
  schema: PLUGIN_SCHEMA,
  create: (options: PluginHostOptions, operation?: OperationOptions) =>
    PluginHost.create(options, operation),
});

/** Where the directory is now: a link that changes leads nowhere else later. */
async function realPath(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    const real = await Deno.realPath(path);
    if ((await Deno.stat(real)).isDirectory) return real;
    throw new Error("it is no directory");
  } catch (cause) {
    const reason = cause instanceof Deno.errors.NotFound
      ? "it does not exist"
      : reasonOf(cause);
    throw new SandboxError(
      "module-unreadable",
      `Cannot read the directory of plugins ${quote(path)}: ${reason}`,
      { cause, details: { source: path } },
    );
  }
}
