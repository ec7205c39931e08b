/**
 * For authors of runtimes: what the built-in ones share, so that one of your
 * own reads modules, checks arguments and words its errors as they do. The
 * interfaces are in the entry `./runtime`, the suite that a runtime must pass
 * is `testRuntime` of the entry `./testing`, and `examples/runtimes` has a
 * runtime that is made with nothing else.
 *
 * @example Refusing an argument as every runtime does
 * ```ts
 * import { checkArguments } from "@wasm-sandbox/core/runtime-authors";
 * import { assertThrows } from "@std/assert";
 *
 * const signature = { params: ["i64"], results: [] } as const;
 * checkArguments("store", signature, [1n]);
 * assertThrows(() => checkArguments("store", signature, [1]), TypeError);
 * ```
 *
 * @module
 */

export type { MessageGuest, ReplyOptions } from "../communication/guest_abi.ts";
export type { Enforcer } from "./needs.ts";
export type { ReadSourceOptions } from "./v8/source.ts";
export {
  ALLOC_EXPORT,
  broken,
  FREE_EXPORT,
  hasTypes,
  isMessageHandler,
  readReply,
  requestBytes,
} from "../communication/guest_abi.ts";
export { quote, reasonOf } from "../_text.ts";
export { resolveLimits } from "../security/limits.ts";
export { instanceBusy, shorterTimeout } from "./calls.ts";
export { unsupported } from "./needs.ts";
export { checkArguments } from "./v8/arguments.ts";
export { featureMask } from "./v8/features.ts";
export { exportNotFound } from "./v8/live.ts";
export { checkedResult } from "./v8/results.ts";
export { readSource } from "./v8/source.ts";
