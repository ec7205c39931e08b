/**
 * What a child says of its module.
 *
 * @module
 */

import type { Module } from "../types.ts";
import { WASM_FEATURES } from "./words.ts";
import {
  type Check,
  isArrayOf,
  isBoolean,
  isCount,
  isOneOf,
  isShaped,
  isText,
} from "./check.ts";
import { ProtocolError } from "./frames.ts";
import type { SentModule } from "./messages.ts";
