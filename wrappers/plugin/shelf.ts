/** All plugins of a host: how they come and go. */

import { basename, dirname } from "node:path";
import { quote } from "../../_text.ts";
import { SandboxError } from "../../errors.ts";
import { listPlugins, pluginOf } from "./directory.ts";
import { hostDisposed, unknownPlugin } from "./errors.ts";
import { PluginSlot } from "./slot.ts";
import { type PluginSource, sourceIn } from "./source.ts";
import type { SlotContext } from "./succession.ts";
import type { PluginOptions } from "./types.ts";
import { Watch } from "./watcher.ts";

/** Plugins of a directory that are loaded at a time. */
const LOAD_AT_A_TIME = 8;

/** Plugins by name. */
export class Shelf implements AsyncDisposable {
  readonly #context: SlotContext;
  readonly #slots = new Map<string, PluginSlot>();
  readonly #watches = new Set<Watch>();
  /** What goes on and nobody waits for. */
  readonly #background = new Set<Promise<void>>();
  /** Files that were told of already. */
  #ignored: ReadonlyMap<string, string> = new Map();
  /** Plugins of the directory that somebody has unloaded. */
  readonly #unloaded = new Set<string>();
  #discovery: Promise<void> = Promise.resolve();
  /** The search that has not begun yet: who wants another shares it. */
  #nextSearch: Promise<void> | undefined;
  #disposed = false;

  constructor(context: SlotContext) {
    this.#context = context;
  }

  /** All plugins. */
  slots(): readonly PluginSlot[] {
    return [...this.#slots.values()];
  }

  /** One plugin. */
  find(name: string): PluginSlot | undefined {
    return this.#slots.get(name);
  }

  /** Loads what is named in the options, and what is in the directory. */
  async fill(): Promise<void> {
    const { plugins } = this.#context.settings;
    for (const [name, options] of Object.entries(plugins)) {
      const slot = this.#add(name, { options });
      await this.#start(slot).catch((error) => {
        // somebody can only approve once there is a host
        if (!slot.isUseful) throw error;
      });
    }
    await this.#discover();
  }

  /** Loads a plugin; without options the one that the host knows. */
  async load(
    name: string,
    options: PluginOptions | undefined,
  ): Promise<PluginSlot> {
    if (this.#slots.has(name)) {
      throw new TypeError(
        `Cannot load the plugin ${quote(name)}: it is there already (reload ` +
          "it, or unload it first)",
      );
    }
    const slot = this.#add(name, this.#sourceOf(name, options));
    await this.#start(slot);
    for (const watch of this.#watches) this.#watchFile(slot, watch);
    return slot;
  }

  /** Unloads a plugin, when its calls have ended. */
  async unload(slot: PluginSlot): Promise<void> {
    if (slot.isFound) this.#unloaded.add(slot.name);
    await slot.versions.unload();
    this.#remove(slot);
  }

  /** Watches files, and reloads and loads what has changed. */
  watch(): AsyncDisposable {
    const { events, settings } = this.#context;
    const { directory, debounceMs: quietMs } = settings;
    const watch = new Watch({
      quietMs,
      onChange: (files) => this.#spawn(() => this.#changed(files)),
      onEnd: (error) => events.emit("watch-failed", "", { error }),
    });
    if (directory !== undefined) watch.add(directory);
    for (const slot of this.slots()) this.#watchFile(slot, watch);
    this.#watches.add(watch);
    // what has changed before
    this.#spawn(() => this.#changed(undefined));
    return {
      [Symbol.asyncDispose]: async () => {
        this.#watches.delete(watch);
        await watch[Symbol.asyncDispose]();
        // what it has begun reads files as well
        await Promise.all(this.#background);
      },
    };
  }

  /** Ends everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    const watches = [...this.#watches];
    await Promise.all(watches.map((watch) => watch[Symbol.asyncDispose]()));
    await Promise.all(this.slots().map((slot) => slot.versions.dispose()));
    await Promise.all([...this.#background, this.#discovery.catch(() => {})]);
    this.#slots.clear();
  }

  #add(name: string, source: PluginSource): PluginSlot {
    // what came later would be let go by nobody
    if (this.#disposed) throw hostDisposed();
    const { maxPlugins } = this.#context.settings;
    const { size } = this.#slots;
    if (size >= maxPlugins) {
      throw new SandboxError(
        "overloaded",
        `Cannot load the plugin ${quote(name)}: there are ${size} already ` +
          "(raise maxPlugins, or unload one)",
        { details: { running: size, waiting: 0 } },
      );
    }
    const slot = new PluginSlot(name, source, this.#context);
    this.#slots.set(name, slot);
    this.#unloaded.delete(name);
    return slot;
  }

  /** Takes out a plugin, unless another one has its name by now. */
  #remove(slot: PluginSlot): void {
    if (this.#slots.get(slot.name) === slot) this.#slots.delete(slot.name);
  }

  /** Loads a plugin that was added; one that is of no use is taken out. */
  async #start(slot: PluginSlot): Promise<void> {
    try {
      await slot.versions.reload();
    } catch (error) {
      if (!slot.isUseful) {
        this.#remove(slot);
        await slot.versions.dispose();
      }
      throw error;
    }
  }

  #sourceOf(name: string, given: PluginOptions | undefined): PluginSource {
    const { plugins, directory } = this.#context.settings;
    const options = given ??
      (Object.hasOwn(plugins, name) ? plugins[name] : undefined);
    if (options !== undefined) return { options };
    if (directory !== undefined) return sourceIn(directory, name);
    throw unknownPlugin(name, Object.keys(plugins));
  }

  /** Loads what is new in the directory, once at a time. */
  #discover(): Promise<void> {
    const { directory } = this.#context.settings;
    if (directory === undefined) return Promise.resolve();
    if (this.#nextSearch !== undefined) return this.#nextSearch;
    const result = this.#discovery.then(() => {
      this.#nextSearch = undefined;
      return this.#search(directory);
    });
    this.#nextSearch = result;
    this.#discovery = result.catch(() => {});
    return result;
  }

  async #search(directory: string): Promise<void> {
    const { maxPlugins } = this.#context.settings;
    const { names, ignored } = await listPlugins(directory);
    const isNew = (name: string) =>
      !this.#slots.has(name) && !this.#unloaded.has(name);
    const { taken, refused } = this.#withRoom(names.filter(isNew));
    const waiting = taken.values();
    // one that goes on changing, or is slow to start, keeps not all others
    const loadSome = async () => {
      for (const name of waiting) {
        if (this.#disposed) return;
        // somebody may have loaded others meanwhile
        if (!isNew(name) || this.#slots.size >= maxPlugins) continue;
        const slot = this.#add(name, sourceIn(directory, name));
        // why it fails was told as an event, and is in the list
        await slot.versions.reload().catch(() => {});
      }
    };
    await Promise.all(Array.from({ length: LOAD_AT_A_TIME }, loadSome));
    this.#tellIgnored(new Map([...ignored, ...refused]));
  }

  /** Of new plugins those that there is room for, and why not for the others. */
  #withRoom(names: readonly string[]) {
    const { maxPlugins } = this.#context.settings;
    const room = Math.max(0, maxPlugins - this.#slots.size);
    const reason = `there are ${maxPlugins} plugins already`;
    return {
      taken: names.slice(0, room),
      refused: names.slice(room).map((name) =>
        [`${name}.wasm`, reason] as const
      ),
    };
  }

  /** Tells of files that are no plugins, once of each. */
  #tellIgnored(all: ReadonlyMap<string, string>): void {
    const { events } = this.#context;
    if (this.#disposed) return;
    const news = [...all].filter(([file]) => !this.#ignored.has(file));
    for (const [file, reason] of news) events.emit("ignored", file, { reason });
    this.#ignored = all;
  }

  /** Reloads what has changed. */
  async #changed(files: ReadonlySet<string> | undefined): Promise<void> {
    for (const slot of this.slots()) {
      if (files !== undefined && !isOf(slot, files)) continue;
      // none waits for another, which may have long calls to end
      this.#spawn(() => refresh(slot));
    }
    try {
      await this.#discover();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.#context.events.emit("watch-failed", "", { error });
    }
  }

  #watchFile({ file }: PluginSlot, watch: Watch): void {
    if (file === undefined) return;
    try {
      watch.add(dirname(file));
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.#context.events.emit("watch-failed", "", { error });
    }
  }

  #spawn(run: () => Promise<void>): void {
    if (this.#disposed) return;
    const work = run().catch(() => {}).finally(() =>
      this.#background.delete(work)
    );
    this.#background.add(work);
  }
}

/** Reads a plugin again, unless its file is gone. */
async function refresh(slot: PluginSlot): Promise<void> {
  if (slot.file !== undefined && !await exists(slot.file)) {
    slot.versions.missing();
  } else await slot.versions.refresh();
}

/** Whether one of the files is a plugin's. */
function isOf(slot: PluginSlot, files: ReadonlySet<string>): boolean {
  if (slot.isFound) {
    return [...files].some((file) => pluginOf(file) === slot.name);
  }
  return slot.file !== undefined &&
    files.has(basename(slot.file));
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound);
  }
}
