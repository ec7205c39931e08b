/** Puts together what a sandbox's guest can ask of its host. */

import type { Grants } from "./_grants.ts";
import type { MessageCounter } from "./_messages.ts";
import { extismService } from "./communication/extism/functions.ts";
import { HostServices } from "./communication/host_services.ts";
import type {
  GuestHttp,
  HttpFunction,
  NetworkUsage,
} from "./communication/http/mod.ts";
import type { Channel } from "./communication/types.ts";
import type { LimitUsage, SandboxOptions } from "./sandbox_options.ts";
import type { LimitName, ResolvedLimits } from "./security/limits.ts";

/** What services are made from, beside what the caller gave. */
export interface ServiceParts {
  readonly grants: Grants;
  readonly limits: ResolvedLimits;
  readonly messages: MessageCounter;
  /** Where the guest runs: known once there is one. */
  readonly isolation: () => "inline" | "process";
  /** Lets go of what is opened here. */
  readonly resources: AsyncDisposableStack;
}

/** What a guest can ask of its host, and the channel between them. */
export interface OpenServices {
  readonly services: HostServices;
  readonly channel: Channel | undefined;
  /** What was used of the limits that the host keeps here. */
  usage(): Partial<Record<LimitName, LimitUsage>>;
}

/** Makes the services of one sandbox. */
export async function openServices(
  options: SandboxOptions,
  parts: ServiceParts,
): Promise<OpenServices> {
  const { grants, limits, messages } = parts;
  const { hostFunctions = {}, onHostFunctionError, extism } = options;
  const channel = await openChannel(options, parts);
  const http = grants.policy.find("network") &&
    parts.resources.use(new LazyHttp(options, parts));
  const services = new HostServices({
    functions: hostFunctions,
    auditor: grants.auditor,
    limits,
    countMessage: () => messages.count(),
    isRefusal: (error) => grants.counters.hasRefused(error),
    ...(channel === undefined ? {} : { channel }),
    ...(http && { http: (input, operation) => http.ask(input, operation) }),
    ...(extism && { extism: extismService(extism, grants.askFor) }),
    ...(onHostFunctionError && { onHostFunctionError }),
  });
  return {
    services,
    channel,
    usage: () => ({
      ...messages.usage(),
      ...http?.usage(),
      streamBytes: {
        allowed: limits.streamBytes,
        used: services.streamBytes,
      },
    }),
  };
}

async function openChannel(
  { channel, channels }: SandboxOptions,
  { resources }: ServiceParts,
): Promise<Channel | undefined> {
  if (typeof channel !== "string") return channel;
  const { ChannelFactory } = await import("./communication/mod.ts");
  const factory = channels ?? new ChannelFactory();
  return resources.use(await factory.create(channel, {}));
}

/** Makes requests for a guest. Loaded with the first: most never make one. */
class LazyHttp implements AsyncDisposable {
  readonly #open: () => Promise<HttpFunction>;
  readonly #limits: ResolvedLimits;
  #request: Promise<HttpFunction> | undefined;
  #http: GuestHttp | undefined;

  constructor(
    { http: options = {} }: SandboxOptions,
    { grants: { auditor }, limits, isolation }: ServiceParts,
  ) {
    this.#limits = limits;
    this.#open = async () => {
      const { GuestHttp, httpFunction } = await import(
        "./communication/http/mod.ts"
      );
      this.#http = new GuestHttp({
        auditor,
        limits,
        isolation: isolation(),
        options,
      });
      return httpFunction(this.#http);
    };
  }

  async ask(...args: Parameters<HttpFunction>): ReturnType<HttpFunction> {
    const request = await (this.#request ??= this.#open());
    return await request(...args);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#request?.catch(() => {});
    await this.#http?.[Symbol.asyncDispose]();
  }

  usage(): NetworkUsage {
    if (this.#http !== undefined) return this.#http.usage();
    const { networkRequests, networkBytes } = this.#limits;
    const unused = (allowed: number) => ({ allowed, used: 0 });
    return {
      ...(networkRequests === undefined
        ? {}
        : { networkRequests: unused(networkRequests) }),
      ...(networkBytes === undefined
        ? {}
        : { networkBytes: unused(networkBytes) }),
    };
  }
}
