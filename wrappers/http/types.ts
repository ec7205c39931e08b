import type { InstancePolicy } from "../../sandbox_options.ts";
import type { GuestOptions } from "../guest_options.ts";

/**
 * How a guest is asked: by an exported function, or as a program that runs anew
 * for each request.
 */
export type HttpGuestForm = "handler" | "command";

/** How a handler is told of a request, and answers. */
export type HttpGuestFormat = "envelope" | "json";

/** A directory whose files are served. */
export interface StaticDirectory {
  /** Where its files are in the URL: `/assets`. */
  readonly path: string;
  /** The directory of the host. */
  readonly directory: string;
  /**
   * The file that stands for a directory; without it there is none.
   */
  readonly index?: string;
  /**
   * How long clients may keep a file without asking again, in seconds.
   *
   * @default {0}
   */
  readonly maxAgeSeconds?: number;
}

/**
 * What an HTTP server is made from; the section `http_server` of a manifest.
 * `limits.timeoutMs` and `limits.fuel` are those of one request.
 */
export interface HttpServerOptions extends GuestOptions {
  /**
   * What the guest is.
   *
   * @default {"command" if the module exports `_start`, "handler" otherwise}
   */
  readonly form?: HttpGuestForm;
  /**
   * The exported function that answers requests, of a handler.
   *
   * @default {"handle"}
   */
  readonly handler?: string;
  /**
   * What a handler takes and gives: envelopes of JSON and bytes, or JSON alone.
   *
   * @default {"envelope"}
   */
  readonly format?: HttpGuestFormat;
  /**
   * What happens to a guest between two requests. A command is always fresh.
   *
   * @default {"reuse"}
   */
  readonly instance?: InstancePolicy;
  /**
   * Most guests at a time.
   *
   * @default {4}
   */
  readonly maxInstances?: number;
  /**
   * Most requests that are worked on at a time: whose body is read, who wait for
   * a guest or have one, whose reply is being streamed.
   *
   * @default {256}
   */
  readonly maxConcurrentRequests?: number;
  /**
   * Most requests that wait to be worked on; one more is answered 503.
   *
   * @default {256}
   */
  readonly maxQueuedRequests?: number;
  /**
   * Longest time that a request waits to be worked on, and for a guest, in
   * milliseconds; then it is answered 503.
   *
   * @default {5_000}
   */
  readonly queueTimeoutMs?: number;
  /**
   * Longest URL, in bytes; 414 beyond.
   *
   * @default {8_192}
   */
  readonly maxUrlBytes?: number;
  /**
   * Most headers of a request, 431 beyond, and of a reply, 502 beyond.
   *
   * @default {100}
   */
  readonly maxHeaders?: number;
  /**
   * Longest names and values of the headers together, in bytes; as `maxHeaders`.
   *
   * @default {16_384}
   */
  readonly maxHeaderBytes?: number;
  /**
   * Longest body of a request, in bytes; 413 beyond.
   *
   * @default {1_048_576}
   */
  readonly maxRequestBytes?: number;
  /**
   * Longest body of a reply, in bytes. A longer one is answered 502, or cut off
   * if it has begun.
   *
   * @default {16_777_216}
   */
  readonly maxResponseBytes?: number;
  /**
   * Longest time that a client takes to send a body, in milliseconds; 408 beyond.
   * Also the longest that it takes for the next piece of a file; its connection
   * is cut off beyond.
   *
   * @default {10_000}
   */
  readonly bodyTimeoutMs?: number;
  /**
   * Names of the request's headers that the guest is told of.
   *
   * @default {all for a handler, DEFAULT_CGI_HEADERS for a command}
   */
  readonly forwardHeaders?: readonly string[];
  /**
   * Directories whose files are served, before the guest is asked.
   *
   * @default {[]}
   */
  readonly static?: readonly StaticDirectory[];
  /**
   * Path that tells whether the server takes requests, or false for none.
   *
   * @default {"/healthz"}
   */
  readonly health?: string | false;
  /**
   * Path of the metrics, or false for none. Anybody who may ask the guest may
   * read them there.
   *
   * @default {false}
   */
  readonly metrics?: string | false;
  /**
   * Whether clients are told why a request failed, in words that may hold the
   * guest's, and paths of the host.
   *
   * @default {false}
   */
  readonly exposeErrors?: boolean;
  /** Told of each request when its last byte has been handed over. */
  readonly onAccess?: (entry: HttpAccess) => void;
}

/** One request that was answered. */
export interface HttpAccess {
  /** When it came, in milliseconds since 1970. */
  readonly time: number;
  /** Its method. */
  readonly method: string;
  /** Its path, as sent: without the query, which may hold secrets. */
  readonly path: string;
  /** Address of the client, if it is known. */
  readonly remoteAddress?: string;
  /** Status of the reply; 499 if the client went away before there was one. */
  readonly status: number;
  /** Time from then to the reply's last byte, in milliseconds. */
  readonly durationMs: number;
  /** Bytes of the body that were read. */
  readonly requestBytes: number;
  /** Bytes of the reply's body that were handed over. */
  readonly responseBytes: number;
  /** Why it was not answered as the guest, or a file, would have. */
  readonly error?: unknown;
}

/** What a server is doing, and has done. */
export interface HttpServerStats {
  /** Requests that have come. */
  readonly requests: number;
  /** Requests that are not answered yet, or not to the last byte. */
  readonly active: number;
  /** Requests that wait to be worked on. */
  readonly queued: number;
  /** Requests that failed for a guest: with 500, 502 or 504. */
  readonly guestFailures: number;
  /** Requests that were turned away for want of room or time, with 503. */
  readonly rejected: number;
  /** Guests that there are. */
  readonly instances: number;
  /** Guests that are lent. */
  readonly busyInstances: number;
  /** Guests that ended and were made anew. */
  readonly replacedInstances: number;
}

/** Something that listens. */
export interface HttpService extends AsyncDisposable {
  /** Where. */
  readonly address: Deno.NetAddr;
  /** Resolves when it has ended. */
  readonly finished: Promise<void>;
  /**
   * Takes no more connections, answers every request that was accepted, and
   * ends.
   */
  shutdown(): Promise<void>;
  /** As `shutdown`. */
  [Symbol.asyncDispose](): Promise<void>;
}
