/**
 * HTTP for guests: a request goes through the policy, then to an address that
 * was checked, under bounds of size and time. See docs/network.md.
 *
 * Loaded when a guest makes its first request.
 *
 * @module
 */

export {
  GuestHttp,
  type GuestHttpOptions,
  type HttpResponse,
} from "./client.ts";
export { type Header } from "./headers.ts";
export { type HttpFunction, httpFunction } from "./http_function.ts";
export { type NetworkLimits, type NetworkUsage } from "./meter.ts";
export { type HttpOptions, type Resolve } from "./options.ts";
export { type HttpRequest } from "./request.ts";
