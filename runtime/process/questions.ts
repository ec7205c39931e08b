/**
 * What a child may say while its guest runs, field by field.
 *
 * @module
 */

import { MAX_NAME_BYTES } from "../../communication/guest_functions.ts";
import type { LogLevel } from "../../communication/types.ts";
import {
  type Check,
  isArrayOf,
  isCount,
  isOneOf,
  isShaped,
  isText,
} from "./check.ts";
import { OUTPUT_BYTES, STREAM_BYTES } from "./frames.ts";
import { OF_CHILD } from "./grants.ts";

/** Most events in one message. */
const MAX_EVENTS = 64;

const MAX_ARGUMENTS = 1_000;

const isLine = (value: unknown) =>
  typeof value === "string" && value.length <= 32_768;

const isCall = isShaped({
  required: {
    seq: isCount,
    what: isOneOf(["call"]),
    index: isCount,
    args: isArrayOf(isText, MAX_ARGUMENTS),
  },
});

const isStdin = isShaped({
  required: {
    seq: isCount,
    what: isOneOf(["stdin"]),
    maxBytes: (value) =>
      isCount(value) && Number(value) > 0 && Number(value) <= OUTPUT_BYTES,
  },
});

const isSymlink = isShaped({
  required: {
    seq: isCount,
    what: isOneOf(["symlink"]),
    mount: isLine,
    target: isLine,
    path: isArrayOf(isLine, MAX_ARGUMENTS),
  },
});

const isService = isOneOf(["service"]);

/** What each service is asked with. */
const SERVICES: readonly Check[] = [
  isShaped({
    required: {
      seq: isCount,
      what: isService,
      service: isOneOf(["call"]),
      name: (value) =>
        typeof value === "string" && value.length <= MAX_NAME_BYTES,
    },
  }),
  isShaped({
    required: { seq: isCount, what: isService, service: isOneOf(["receive"]) },
    optional: {
      timeoutMs: (value) => isCount(value) && Number(value) < 2 ** 31,
    },
  }),
  isShaped({
    required: {
      seq: isCount,
      what: isService,
      service: isOneOf(["read"]),
      maxBytes: (value) =>
        isCount(value) && Number(value) > 0 && Number(value) <= STREAM_BYTES,
    },
  }),
  isShaped({
    required: {
      seq: isCount,
      what: isService,
      service: isOneOf(["send", "write", "extism"]),
    },
  }),
];

/** A question of any kind. */
export function isQuestion(header: unknown): boolean {
  return isCall(header) || isStdin(header) || isSymlink(header) ||
    SERVICES.some((check) => check(header));
}

/** Longest line of a log; what is no text in the guest's has become longer. */
export const MAX_LINE_BYTES = 16 * 2 ** 10;

/** Levels of a log. */
const LEVELS: readonly LogLevel[] = [
  "trace",
  "debug",
  "info",
  "warn",
  "error",
];

/** A line of a log; the body is the text. */
export const isLogLine: Check = isShaped({
  required: { level: isOneOf(LEVELS) },
});

/** A header that says nothing. */
export const isNothing: Check = isShaped({ required: {} });

/** Which of its outputs a guest has written to. */
export const isOutput: Check = isShaped({
  required: { fd: (value) => value === 1 || value === 2 },
});

/** ISO 8601, UTC, to the millisecond. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Decisions of a guest's auditor. */
export const isEvents: Check = isShaped({
  required: {
    events: isArrayOf(
      isShaped({
        required: {
          time: (value) => typeof value === "string" && TIME.test(value),
          decision: isOneOf(["allowed", "denied"]),
          operation: isLine,
          // of others the host decides, and a child has nothing to say
          capability: isOneOf(OF_CHILD),
          resource: isLine,
        },
        optional: { via: isLine, reason: isLine },
      }),
      MAX_EVENTS,
    ),
  },
});
