/**
 * Wrappers: applications around sandboxes.
 *
 * A wrapper of your own is a class that implements {@linkcode Wrapper}, a
 * {@linkcode WrapperKind} that says what its options are, and one call of
 * `register`.
 *
 * @example Registering a wrapper
 * ```ts
 * import { WrapperFactory } from "@wasm-sandbox/core/wrappers";
 * import { assertEquals } from "@std/assert";
 *
 * const wrappers = new WrapperFactory();
 * wrappers.register("nothing", () => ({
 *   type: "nothing",
 *   description: "Does nothing.",
 *   schema: { type: "object", properties: {}, additionalProperties: false },
 *   create: () =>
 *     Promise.resolve({
 *       wrapperType: "nothing",
 *       [Symbol.asyncDispose]: () => Promise.resolve(),
 *     }),
 * }));
 * const kind = await wrappers.create("nothing");
 * await using wrapper = await kind.create({});
 * assertEquals(wrapper.wrapperType, "nothing");
 * ```
 *
 * @module
 */

import { Registry } from "../registry.ts";
import type { WrapperKind } from "./types.ts";

export type * from "./types.ts";
export { checkWrapperOptions } from "./check_options.ts";
export { Gate, type GateOptions } from "./gate.ts";
export {
  GUEST_PROPERTIES,
  type GuestOptions,
  guestOptionsOf,
} from "./guest_options.ts";
export {
  GuestPool,
  type GuestPoolOptions,
  type GuestPoolStats,
} from "./guest_pool.ts";

/** Knows the built-in kinds of wrappers by name, and any that you register. */
export class WrapperFactory extends Registry<WrapperKind> {
  /** Constructs a factory with the built-in kinds. */
  constructor() {
    super("wrapper");
    this.register(
      "cli_tool",
      async () => (await import("./cli_tool.ts")).CLI_TOOL as WrapperKind,
    );
    this.register(
      "custom",
      async () => (await import("./custom_wrapper.ts")).CUSTOM as WrapperKind,
    );
    this.register(
      "mcp_server",
      async () => (await import("./mcp_server.ts")).MCP_SERVER as WrapperKind,
    );
    this.register(
      "http_server",
      async () => (await import("./http_server.ts")).HTTP_SERVER as WrapperKind,
    );
    this.register(
      "plugin",
      async () => (await import("./plugin.ts")).PLUGIN as WrapperKind,
    );
  }
}
