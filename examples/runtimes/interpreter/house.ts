/**
 * What the package offers to authors of runtimes beside its types.
 *
 * @module
 */

export {
  ALLOC_EXPORT,
  broken,
  FREE_EXPORT,
  hasTypes,
  isMessageHandler,
  readReply,
  requestBytes,
} from "../../../communication/guest_abi.ts";
export { quote, reasonOf } from "../../../_text.ts";
export { instanceBusy, shorterTimeout } from "../../../runtime/calls.ts";
export { checkArguments } from "../../../runtime/v8/arguments.ts";
export { featureMask } from "../../../runtime/v8/features.ts";
export { exportNotFound } from "../../../runtime/v8/live.ts";
export { checkedResult } from "../../../runtime/v8/results.ts";
export { readSource } from "../../../runtime/v8/source.ts";
