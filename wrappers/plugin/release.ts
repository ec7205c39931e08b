/** One version of a plugin: its guests, and who uses them. */

import { quote } from "../../_text.ts";
import { isProcedure } from "../../runtime/calls.ts";
import type { HostImports, OperationOptions } from "../../runtime/types.ts";
import type { Sandbox } from "../../sandbox.ts";
import type { Gate } from "../gate.ts";
import { guestOptionsOf } from "../guest_options.ts";
import { GuestPool } from "../guest_pool.ts";
import type { Ask } from "./ask.ts";
import { refused } from "./errors.ts";
import { checkExports, describeExports, hasMessage } from "./required.ts";
import type { Settings } from "./schema.ts";
import type { PluginOptions } from "./types.ts";
import { inTime } from "./wait.ts";

/** What a release is made from: everything was read, nothing has run. */
export interface Candidate {
  readonly name: string;
  /** The bytes that were hashed, and that are compiled. */
  readonly module: Uint8Array<ArrayBuffer>;
  /** SHA-256 of the module. */
  readonly sha256: string;
  /** Hash of the module and of all that it asks for. */
  readonly id: string;
  readonly ask: Ask;
  readonly options: PluginOptions;
}

/** What a release shares with those of other plugins. */
export interface ReleaseContext {
  readonly settings: Settings;
  /** All calls of all plugins pass it. */
  readonly gate: Gate;
}

/** Export that tells the version. */
const VERSION = "plugin_version";
/** Export that is called before a version takes over. */
const HEALTH = "health";
const SAVE = "save_state";
const RESTORE = "restore_state";

const VERSION_TEXT = /^[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}$/;

/** A version that was checked and can take calls. */
export class Release implements AsyncDisposable {
  /** What it was made from; the pool has the bytes. */
  readonly candidate: Omit<Candidate, "module">;
  /** What it says that it is, or what the options say. */
  readonly version: string | undefined;
  /** Its functions, as text. */
  readonly exports: readonly string[];
  readonly #context: ReleaseContext;
  readonly #pool: GuestPool;
  #active = 0;
  #whenIdle: PromiseWithResolvers<void> | undefined;

  private constructor(
    candidate: Candidate,
    context: ReleaseContext,
    pool: GuestPool,
    version: string | undefined,
  ) {
    const { module: _, ...facts } = candidate;
    this.candidate = facts;
    this.version = version;
    this.#context = context;
    this.#pool = pool;
    this.exports = describeExports(pool.exports);
  }

  /**
   * Starts a version, and checks it: exports, version, health.
   *
   * @throws {SandboxError} If it is not what it must be.
   */
  static async open(
    candidate: Candidate,
    context: ReleaseContext,
    operation: OperationOptions,
  ): Promise<Release> {
    await using resources = new AsyncDisposableStack();
    const pool = resources.use(
      await GuestPool.create(poolOptions(candidate, context), operation),
    );
    const { name, options } = candidate;
    const { settings } = context;
    checkExports(name, pool.exports, settings.requires);
    checkExports(name, pool.exports, options.requires ?? {});
    for (const each of [SAVE, RESTORE]) {
      if (settings.stateHandOver) hasMessage(name, pool.exports, each);
    }
    const version = await versionOf(candidate, pool, settings, operation);
    await checkHealth(candidate, pool, settings, operation);
    resources.move();
    return new Release(candidate, context, pool, version);
  }

  /** Calls that run on it, or wait for a guest of it. */
  get active(): number {
    return this.#active;
  }

  /** Whether it has a state that it can give away. */
  get savesState(): boolean {
    return hasMessage(this.candidate.name, this.#pool.exports, SAVE);
  }

  /** Whether it can take a state. */
  get restoresState(): boolean {
    return hasMessage(this.candidate.name, this.#pool.exports, RESTORE);
  }

  /** Lends a guest; counted from the moment of the call. */
  async use<T>(
    run: (sandbox: Sandbox) => Promise<T>,
    options: OperationOptions,
  ): Promise<T> {
    this.#active++;
    try {
      return await this.#pool.use(async (sandbox) => {
        const { gate } = this.#context;
        // here, so that who waits for a guest takes nobody's place
        const turn = gate.enter(options);
        if (turn !== undefined) await turn;
        try {
          return await run(sandbox);
        } finally {
          gate.leave();
        }
      }, options);
    } finally {
      this.#active--;
      if (this.#active === 0) this.#whenIdle?.resolve();
    }
  }

  /** Waits until nobody uses it; tells whether that was in time. */
  async whenIdle(ms: number, signal?: AbortSignal): Promise<boolean> {
    if (this.#active === 0) return true;
    this.#whenIdle = Promise.withResolvers();
    return await inTime(this.#whenIdle.promise, ms, signal);
  }

  /** The state of its guest. */
  async saveState(operation: OperationOptions): Promise<Uint8Array> {
    const { checkTimeoutMs: timeoutMs, maxStateBytes } = this.#context.settings;
    const state = await this.#pool.use(
      (sandbox) =>
        sandbox.call<Uint8Array>(SAVE, new Uint8Array(), {
          ...operation,
          abi: "bytes",
          timeoutMs,
        }),
      operation,
    );
    if (state.length <= maxStateBytes) return state;
    throw refused(
      this.candidate.name,
      `the state has ${state.length} bytes, and maxStateBytes is ` +
        `${maxStateBytes}`,
      "raise it, or reload without the state",
    );
  }

  /** Gives its guest the state of another version's. */
  async restoreState(
    state: Uint8Array,
    operation: OperationOptions,
  ): Promise<void> {
    const { checkTimeoutMs: timeoutMs } = this.#context.settings;
    await this.#pool.use((sandbox) =>
      sandbox.call(RESTORE, state, {
        ...operation,
        abi: "bytes",
        timeoutMs,
      }), operation);
  }

  /** Ends its guests; calls that run fail. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
  }
}

function poolOptions(
  { name, module, ask, options }: Candidate,
  { settings }: ReleaseContext,
): Parameters<typeof GuestPool.create>[0] {
  const guest = { ...settings.defaults, ...guestOptionsOf(options) };
  const { hostFunctions, imports, ...rest } = guest;
  // a policy without the capability would let a guest call all of them
  const mayCall = ask.policy.find("host_functions") !== undefined;
  return {
    ...rest,
    ...(mayCall && hostFunctions !== undefined ? { hostFunctions } : {}),
    ...(imports === undefined
      ? {}
      : { imports: mayCall ? imports : constantsOf(imports) }),
    module,
    policy: ask.policy,
    limits: ask.set,
    isolation: ask.isolation,
    capabilityKinds: settings.kinds,
    instance: options.instance ?? settings.instance,
    maxInstances: options.maxInstances ?? settings.maxInstances,
    maxWaiting: settings.maxWaitingCalls,
    what: `calls of the plugin ${quote(name)}`,
  };
}

/** Of what may be imported, what cannot do anything. */
function constantsOf(imports: HostImports): HostImports {
  return Object.fromEntries(
    Object.entries(imports).map(([module, names]) => [
      module,
      Object.fromEntries(
        Object.entries(names).filter(([, value]) =>
          typeof value !== "function"
        ),
      ),
    ]),
  );
}

/** What a plugin says it is; it must be what the options say. */
async function versionOf(
  { name, options }: Candidate,
  pool: GuestPool,
  { checkTimeoutMs: timeoutMs }: Settings,
  operation: OperationOptions,
): Promise<string | undefined> {
  const { version: pinned } = options;
  if (!hasMessage(name, pool.exports, VERSION)) return pinned;
  const said = await pool.use((sandbox) =>
    sandbox.call(VERSION, null, { ...operation, abi: "json", timeoutMs })
  );
  if (typeof said !== "string" || !VERSION_TEXT.test(said)) {
    throw refused(
      name,
      `it says that its version is ${describe(said)}, which is none`,
      "a version has at most 64 letters, digits, dots, +, - and _",
    );
  }
  if (pinned === undefined || said === pinned) return said;
  throw refused(
    name,
    `it says that its version is ${quote(said)}, and it should be ` +
      quote(pinned),
    "change the version in the options, or the module",
  );
}

/** A plugin that says how it is must be well before it takes over. */
async function checkHealth(
  { name }: Candidate,
  pool: GuestPool,
  { checkTimeoutMs: timeoutMs }: Settings,
  operation: OperationOptions,
): Promise<void> {
  const call = { ...operation, timeoutMs };
  if (isProcedure(pool.exports, HEALTH)) {
    await pool.use((sandbox) => sandbox.call(HEALTH, [], call));
  } else if (hasMessage(name, pool.exports, HEALTH)) {
    await pool.use((sandbox) =>
      sandbox.call(HEALTH, null, { ...call, abi: "json" })
    );
  }
}

/** A value of a guest's, for a message. */
function describe(value: unknown): string {
  return typeof value === "string" ? quote(value) : `of type ${typeof value}`;
}
