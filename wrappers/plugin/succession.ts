/** How one version of a plugin follows another. */

import { SandboxError } from "../../errors.ts";
import { exceeding, requestOf } from "./ask.ts";
import { kept, needsApproval, unavailable } from "./errors.ts";
import type { PluginEvents } from "./events.ts";
import { handOver } from "./hand_over.ts";
import { Hold } from "./hold.ts";
import { type Candidate, Release, type ReleaseContext } from "./release.ts";
import {
  type PluginSource,
  readCandidate,
  type SourceContext,
} from "./source.ts";
import type { PluginRequest, PluginVersion, ReloadOptions } from "./types.ts";

/** What all plugins of a host share. */
export interface SlotContext extends ReleaseContext, SourceContext {
  readonly events: PluginEvents;
}

/** A version that waits for approval. */
interface Waiting {
  readonly candidate: Candidate;
  readonly request: PluginRequest;
}

/** How a version is put in. */
interface InstallOptions {
  readonly isApproved?: boolean;
  readonly dropState?: boolean;
  /** Whether nobody has asked for it: a file has changed. */
  readonly isUnasked?: boolean;
}

/** What a succession is about. */
export interface SuccessionOptions {
  readonly name: string;
  readonly source: PluginSource;
  readonly context: SlotContext;
  /** Told when a version takes the calls that deserves another chance. */
  readonly onSwitch: () => void;
}

/**
 * The versions of one plugin. What changes them takes turns. There are never
 * more than two at a time: the one that serves, and one that is checked or that
 * ends its last calls.
 */
export class Succession {
  readonly #options: SuccessionOptions;
  readonly #context: SlotContext;
  /** Ends what would change the plugin. */
  readonly #closing = new AbortController();
  /** Ends waiting for calls. */
  readonly #cutting = new AbortController();
  #current: Release | undefined;
  #hold: Hold | undefined;
  #waiting: Waiting | undefined;
  /** What was refused last, so that it is not tried again and again. */
  #rejected: string | undefined;
  #error: Error | undefined;
  #isMissing = false;
  #turn: Promise<unknown> = Promise.resolve();
  /** The reload that has not begun yet: who asks for another shares it. */
  #next: Promise<void> | undefined;
  #nextDropsState = false;
  /** As `#next`, of `refresh`. */
  #refresh: Promise<void> | undefined;
  #disposal: Promise<void> | undefined;

  constructor(options: SuccessionOptions) {
    this.#options = options;
    this.#context = options.context;
  }

  /** The version that serves. */
  get current(): Release | undefined {
    return this.#current;
  }

  /** Where calls wait while a state is handed over. */
  get hold(): Hold | undefined {
    return this.#hold;
  }

  /** What waits for approval. */
  get request(): PluginRequest | undefined {
    return this.#waiting?.request;
  }

  /** Why the latest version was refused. */
  get error(): Error | undefined {
    return this.#error;
  }

  /** Whether it ends, or has ended. */
  get isClosing(): boolean {
    return this.#disposal !== undefined;
  }

  /** Reads the plugin again, and lets what was read take over if it is right. */
  reload(options: ReloadOptions = {}): Promise<void> {
    this.#nextDropsState ||= options.dropState ?? false;
    return this.#next ??= this.#inTurn(async () => {
      const dropState = this.#nextDropsState;
      this.#next = undefined;
      this.#nextDropsState = false;
      await this.#install(() => this.#read(), { dropState });
    });
  }

  /** As `reload`, if something has changed; what goes wrong is an event. */
  refresh(): Promise<void> {
    return this.#refresh ??= this.#inTurn(async () => {
      this.#refresh = undefined;
      const candidate = await this.#attempt(() => this.#read());
      this.#isMissing = false;
      if (this.#isKnown(candidate)) return;
      await this.#install(() => Promise.resolve(candidate), {
        isUnasked: true,
      });
    }).catch(() => {
      // it was told as an event
    });
  }

  /** Lets the version that waits take over, if it is the one that is meant. */
  async approve(sha256: string): Promise<void> {
    await this.#inTurn(async () => {
      const waiting = this.#waiting;
      if (waiting?.request.sha256 !== sha256.toLowerCase()) {
        throw notRequested(this.#name, waiting);
      }
      await this.#install(() => Promise.resolve(waiting.candidate), {
        isApproved: true,
      });
    });
  }

  /** The file is gone; what serves goes on. */
  missing(): void {
    if (!this.#isMissing) {
      this.#context.events.emit("source-missing", this.#name, {});
    }
    this.#isMissing = true;
  }

  /** Ends it when its calls have ended, or in time; twice is once. */
  unload(): Promise<void> {
    return this.#disposal ??= this.#end();
  }

  /** Ends it now, and the waiting of whoever unloads it already. */
  dispose(): Promise<void> {
    this.#cutting.abort();
    return this.unload();
  }

  get #name(): string {
    return this.#options.name;
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(() => {
      this.#closing.signal.throwIfAborted();
      return run();
    });
    this.#turn = result.catch(() => {});
    return result;
  }

  #read(): Promise<Candidate> {
    return readCandidate(
      this.#name,
      this.#options.source,
      this.#context,
      { signal: this.#closing.signal },
    );
  }

  /** Whether a version serves, waits or was refused already. */
  #isKnown({ id }: Candidate): boolean {
    if (id !== this.#current?.candidate.id) return id === this.#rejected;
    // whoever has changed it has taken that back
    this.#waiting = undefined;
    this.#rejected = undefined;
    this.#error = undefined;
    return true;
  }

  /** Puts a version in. If anything goes wrong, what served before goes on. */
  async #install(
    read: () => Promise<Candidate>,
    options: InstallOptions,
  ): Promise<void> {
    await this.#attempt(async () => {
      const candidate = await read();
      this.#isMissing = false;
      this.#waiting = undefined;
      this.#rejected = candidate.id;
      if (!options.isApproved) this.#requireGrant(candidate);
      const next = await this.#open(candidate);
      await this.#takeOver(next, options);
    });
  }

  /** Tells of a failure, as an event and to whoever has asked. */
  async #attempt<T>(run: () => Promise<T>): Promise<T> {
    const { signal } = this.#closing;
    try {
      return await run();
    } catch (error) {
      signal.throwIfAborted();
      this.#error = kept(error);
      const { request } = this;
      const { events } = this.#context;
      const isAsking = SandboxError.is(error, "plugin-unavailable");
      if (isAsking && request !== undefined) {
        events.emit("approval-needed", this.#name, { request });
      } else {
        events.emit("rejected", this.#name, {
          error: this.#error,
          isServing: this.#current !== undefined,
        });
      }
      throw error;
    }
  }

  /** What asks for more than was granted waits until somebody approves. */
  #requireGrant(candidate: Candidate): void {
    const { kinds, ceiling } = this.#context.settings;
    const granted = this.#current?.candidate.ask ?? ceiling;
    const exceeds = exceeding(candidate.ask, granted, kinds);
    if (exceeds.length === 0) return;
    const request = requestOf(candidate, exceeds);
    this.#waiting = { candidate, request };
    throw needsApproval(this.#name, request);
  }

  async #open(candidate: Candidate): Promise<Release> {
    const { signal } = this.#closing;
    const next = await Release.open(candidate, this.#context, { signal });
    if (!signal.aborted) return next;
    await next[Symbol.asyncDispose]();
    throw signal.reason;
  }

  async #takeOver(
    next: Release,
    { dropState = false, isUnasked = false }: InstallOptions,
  ): Promise<void> {
    const old = this.#current;
    const isSameModule = old?.candidate.sha256 === next.candidate.sha256;
    const { settings } = this.#context;
    if (old !== undefined && settings.stateHandOver && !dropState) {
      await this.#withState(old, next);
    }
    // from here on new calls go to the new one
    this.#current = next;
    this.#error = undefined;
    this.#rejected = undefined;
    // who writes to a policy file must not lift a quarantine by that
    if (!isUnasked || !isSameModule) this.#options.onSwitch();
    this.#tellOf(next, old);
    if (old !== undefined) await this.#retire(old);
  }

  /** Holds calls while the state goes over: so that none of it is lost. */
  async #withState(old: Release, next: Release): Promise<void> {
    if (!old.savesState) return;
    const { settings } = this.#context;
    const hold = this.#hold = new Hold(settings.maxWaitingCalls);
    const { signal } = this.#closing;
    try {
      await handOver(old, next, { settings, signal });
      // before those who wait go on
      this.#current = next;
    } catch (error) {
      await next[Symbol.asyncDispose]();
      throw error;
    } finally {
      this.#hold = undefined;
      hold.lift();
    }
  }

  #tellOf(next: Release, old: Release | undefined): void {
    const { events } = this.#context;
    const is = versionOf(next);
    if (old === undefined) events.emit("loaded", this.#name, is);
    else {
      const previous = versionOf(old);
      events.emit("reloaded", this.#name, { ...is, previous });
    }
  }

  async #retire(release: Release): Promise<void> {
    const { drainTimeoutMs } = this.#context.settings;
    const { signal } = this.#cutting;
    // with nobody to wait for any more it is as if the time were up
    const isIdle = await release.whenIdle(drainTimeoutMs, signal)
      .catch(() => false);
    if (!isIdle) {
      const calls = release.active;
      this.#context.events.emit("cut-off", this.#name, { calls });
    }
    await release[Symbol.asyncDispose]();
  }

  async #end(): Promise<void> {
    this.#closing.abort(
      unavailable(this.#name, "unloading", "it is being unloaded"),
    );
    await this.#turn;
    this.#waiting = undefined;
    const release = this.#current;
    if (release !== undefined) await this.#retire(release);
    this.#current = undefined;
    this.#context.events.emit("unloaded", this.#name, {});
  }
}

function versionOf({ version, candidate }: Release): PluginVersion {
  const { sha256 } = candidate;
  return version === undefined ? { sha256 } : { version, sha256 };
}

function notRequested(
  name: string,
  waiting: Waiting | undefined,
): SandboxError<"plugin-unavailable"> {
  return unavailable(
    name,
    waiting === undefined ? "failed" : "awaiting-approval",
    waiting === undefined
      ? "nothing of it waits for approval"
      : `what waits for approval has the sha256 ${waiting.request.sha256}`,
  );
}
