/**
 * A wrapper around one exported function: the plain case, and what wrappers of
 * your own are made of.
 *
 * ```ts
 * import { CustomWrapper } from "@wasm-sandbox/core/custom-wrapper";
 * import { assertEquals } from "@std/assert";
 *
 * await using wrapper = await CustomWrapper.create({
 *   module: "examples/guests/rust/slugify.wasm",
 *   entryPoint: "slugify",
 *   timeoutMs: 500,
 * });
 * const slug = await wrapper.processRequest<string, string>("Crème Brûlée!");
 * assertEquals(slug, "creme-brulee");
 * ```
 *
 * @module
 */

import { describeIssues, validate } from "../communication/standard_schema.ts";
import type { Channel } from "../communication/types.ts";
import { SandboxError } from "../errors.ts";
import { broken } from "../communication/guest_abi.ts";
import type { OperationOptions } from "../runtime/types.ts";
import { exportNotFound } from "../runtime/v8/live.ts";
import { checkWrapperOptions } from "./check_options.ts";
import { Deadline } from "./custom/deadline.ts";
import { CUSTOM_DEFAULTS, CUSTOM_SCHEMA } from "./custom/schema.ts";
import { ChannelService } from "./custom/service.ts";
import type {
  CustomRequestOptions,
  CustomService,
  CustomServiceOptions,
  CustomWrapperConfig,
} from "./custom/types.ts";
import { guestOptionsOf } from "./guest_options.ts";
import { GuestPool, type GuestPoolStats } from "./guest_pool.ts";
import type { Wrapper, WrapperKind } from "./types.ts";

export type * from "./custom/types.ts";

/** What a wrapper needs of its options once it is made. */
type Settings = Required<
  Pick<
    CustomWrapperConfig,
    "entryPoint" | "timeoutMs" | "maxConcurrentRequests"
  >
>;

/**
 * Answers requests by an exported function of a guest, several at a time, each
 * under the limits and the policy of the config.
 *
 * To build something of your own on it, hold one and give it a face, as
 * examples/wrappers/formula.ts does; it is not made to be extended.
 *
 * @example A service behind a channel
 * ```ts
 * import { MemoryChannel } from "@wasm-sandbox/core/communication";
 * import { type CustomReply, CustomWrapper } from "@wasm-sandbox/core/custom-wrapper";
 * import { assertEquals } from "@std/assert";
 *
 * await using wrapper = await CustomWrapper.create({
 *   module: "examples/guests/rust/slugify.wasm",
 *   entryPoint: "sum",
 * });
 * await using channel = new MemoryChannel<unknown, CustomReply>();
 * await using _service = wrapper.startService(channel);
 * await channel.send([1, 2, 3]);
 * assertEquals(await channel.receiveResult(), { result: 6 });
 * ```
 */
export class CustomWrapper implements Wrapper {
  /** The name that its kind is registered under. */
  readonly wrapperType = "custom";
  readonly #pool: GuestPool;
  readonly #settings: Settings;
  readonly #services = new Set<ChannelService>();
  #disposal: Promise<void> | undefined;

  private constructor(pool: GuestPool, settings: Settings) {
    this.#pool = pool;
    this.#settings = settings;
  }

  /**
   * Makes a wrapper, and its first guest.
   *
   * @param config What runs, and under which bounds.
   * @param operation Cancellation.
   * @returns The wrapper; dispose it when done.
   * @throws {SandboxError} As a sandbox does, and with code `export-not-found`
   * if there is no such entry point.
   * @throws {TypeError} If the config is wrong; says all that is.
   */
  static async create(
    config: CustomWrapperConfig,
    operation: OperationOptions = {},
  ): Promise<CustomWrapper> {
    operation.signal?.throwIfAborted();
    const given = { ...config };
    checkWrapperOptions("custom", given, CUSTOM_SCHEMA);
    const { entryPoint, ...others } = { ...CUSTOM_DEFAULTS, ...defined(given) };
    const { instance, timeoutMs, maxConcurrentRequests } = others;
    const pool = await GuestPool.create({
      ...guestOptionsOf(given),
      limits: { timeoutMs, ...given.limits },
      instance,
      maxInstances: maxConcurrentRequests,
      maxWaiting: others.maxQueuedRequests,
      what: "requests",
    }, operation);
    const settings = { entryPoint, timeoutMs, maxConcurrentRequests };
    if (isFunction(pool, entryPoint)) return new CustomWrapper(pool, settings);
    await pool[Symbol.asyncDispose]();
    throw exportNotFound(entryPoint, pool.exports);
  }

  /**
   * What the guests are doing.
   *
   * @returns The figures of this moment.
   */
  stats(): GuestPoolStats {
    return this.#pool.stats();
  }

  /**
   * Has a request answered.
   *
   * @typeParam T What the request is: anything that JSON can hold, bytes, or an
   * array of numbers if the entry point takes numbers.
   * @typeParam R What the reply is. Nothing checks it without a schema.
   * @param request The request.
   * @param options A schema of the reply, a shorter time, cancellation.
   * @returns What the guest answered.
   * @throws {SandboxError} With code `overloaded` if too many wait, `timed-out`
   * if no guest was free in time, `guest-protocol` if the reply is not what the
   * schema wants, or as `Sandbox.call` does.
   */
  async processRequest<T = unknown, R = unknown>(
    request: T,
    options: CustomRequestOptions<R> = {},
  ): Promise<R> {
    const { reply } = options;
    const { entryPoint } = this.#settings;
    const answer = await this.#ask(request, options);
    if (reply === undefined) return answer as R;
    const result = await validate(reply, answer);
    if (result.issues === undefined) return result.value;
    const problem = `its reply is not what was asked for: ${
      describeIssues(result.issues)
    }`;
    throw broken({ name: entryPoint }, problem);
  }

  /**
   * Has data processed: sends `{ data, operation: "process" }`.
   *
   * @param data The data.
   * @param options A shorter time, cancellation.
   * @returns The `result` of the reply.
   * @throws {SandboxError} As `processRequest` does; with code `guest-protocol`
   * if the reply has no text of that name.
   */
  async performOperation(
    data: string,
    options: Omit<CustomRequestOptions, "reply"> = {},
  ): Promise<string> {
    const request = { data, operation: "process" };
    const reply: unknown = await this.#ask(request, options);
    const result = typeof reply === "object" && reply !== null &&
        Object.hasOwn(reply, "result")
      ? (reply as { readonly result: unknown }).result
      : undefined;
    if (typeof result === "string") return result;
    const { entryPoint } = this.#settings;
    throw broken({ name: entryPoint }, 'its reply has no text "result"');
  }

  /**
   * Answers the requests that come through a channel, until that is closed or
   * the service ends. They are taken in the order in which they come, and
   * answered in the same: the first result is the answer to the first request.
   * At most `maxConcurrentRequests` are taken and not answered yet; the others
   * wait in the channel. What fails is answered with a {@linkcode CustomReply}
   * that has an `error`.
   *
   * @param channel The channel; nobody else may receive from it.
   * @param options Cancellation of the service, and who is told of errors.
   * @returns The service; dispose it when done. It ends with the wrapper.
   * @throws {SandboxError} With code `disposed`.
   */
  startService(
    channel: Channel,
    { signal, onError }: CustomServiceOptions = {},
  ): CustomService {
    signal?.throwIfAborted();
    if (this.#disposal !== undefined) throw disposed();
    const { maxConcurrentRequests: maxConcurrent } = this.#settings;
    const service = new ChannelService({
      channel,
      maxConcurrent,
      ask: (request, options) => this.#ask(request, options),
      onError,
    });
    this.#services.add(service);
    const onAbort = () => service.end(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    void service.closed.then(() => {
      this.#services.delete(service);
      signal?.removeEventListener("abort", onAbort);
    });
    return service;
  }

  /** Ends all services, and lets all guests go. Twice is once. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#disposal ??= this.#dispose();
  }

  async #dispose(): Promise<void> {
    for (const service of this.#services) service.end(disposed());
    await this.#pool[Symbol.asyncDispose]();
    await Promise.all([...this.#services].map(({ closed }) => closed));
  }

  async #ask(
    request: unknown,
    { signal, timeoutMs: wanted }: Omit<CustomRequestOptions, "reply">,
  ): Promise<unknown> {
    if (this.#disposal !== undefined) throw disposed();
    const { entryPoint } = this.#settings;
    const timeoutMs = Math.min(
      wanted ?? this.#settings.timeoutMs,
      this.#settings.timeoutMs,
    );
    const given = signal === undefined ? {} : { signal };
    // nobody has to watch the time that nobody waits for
    if (this.#pool.isFree) {
      return await this.#pool.use(
        (sandbox) => sandbox.call(entryPoint, request, { ...given, timeoutMs }),
        given,
      );
    }
    using deadline = new Deadline(timeoutMs, signal);
    return await this.#pool.use(
      (sandbox) =>
        sandbox.call(entryPoint, request, {
          ...given,
          timeoutMs: deadline.leftMs(),
        }),
      deadline,
    );
  }
}

/** The kind of wrapper that answers requests by a function. */
export const CUSTOM: WrapperKind<CustomWrapperConfig> = Object.freeze({
  type: "custom",
  description: "A service around an exported function.",
  schema: CUSTOM_SCHEMA,
  create: (options: CustomWrapperConfig, operation?: OperationOptions) =>
    CustomWrapper.create(options, operation),
});

function isFunction(pool: GuestPool, name: string): boolean {
  return pool.exports.some((each) =>
    each.name === name && each.kind === "function"
  );
}

/** Options that were given as undefined were not given. */
function defined<O extends object>(options: O): O {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as O;
}

function disposed(): SandboxError<"disposed"> {
  return new SandboxError(
    "disposed",
    "Cannot use the wrapper: it is disposed",
    { details: { kind: "wrapper" } },
  );
}
