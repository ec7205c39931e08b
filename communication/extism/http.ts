/**
 * Requests by HTTP of plug-ins, by the host's own function `http.request`.
 *
 * @module
 */

import { printable, quote } from "../../_text.ts";
import { SandboxError } from "../../errors.ts";
import { GuestFault } from "../fault.ts";
import type { GuestServices, MaybePromise } from "../types.ts";
import { decodeUtf8 } from "../utf8.ts";
import type { Kernel } from "./kernel.ts";
import { EXTISM_MODULE, type ExtismSettings } from "./types.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Most bytes of a response, unless it is told otherwise. */
const DEFAULT_RESPONSE_BYTES = 50 * 2 ** 20;
/** Longest request without its body: it is JSON that a plug-in has written. */
const MAX_REQUEST_BYTES = 65_536;

/** What requests are made with. */
export interface HttpRequestsOptions {
  /** The plug-in's memory. */
  readonly kernel: Kernel;
  /** Makes them. */
  readonly services: () => GuestServices;
  /** What the plug-in is given. */
  readonly settings: ExtismSettings;
}

/** A request, as a plug-in writes it. */
interface PluginRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: readonly (readonly [string, string])[];
}

/** The requests of one plug-in, one after the other. */
export class HttpRequests {
  /** Status of the last response; 0 if there is none. */
  status = 0;
  readonly #options: HttpRequestsOptions;
  #headers: readonly (readonly [string, string])[] = [];

  /**
   * Constructs it.
   *
   * @param options What they are made with.
   */
  constructor(options: HttpRequestsOptions) {
    this.#options = options;
  }

  /** Begins a call. */
  begin(): void {
    this.status = 0;
    this.#headers = [];
  }

  /**
   * Makes a request.
   *
   * @param at Block with the request, as JSON; it is let go.
   * @param bodyAt Block with its body, or 0; it is let go.
   * @returns Block with the body of the response.
   * @throws {SandboxError} If it is denied, or fails.
   */
  request(at: bigint, bodyAt: bigint): MaybePromise<bigint> {
    const { kernel, services } = this.#options;
    this.begin();
    const request = requestOf(kernel.read(at));
    const hasBody = request.method !== "GET" && request.method !== "HEAD";
    const body = hasBody ? kernel.read(bodyAt) : undefined;
    kernel.free(at);
    kernel.free(bodyAt);
    try {
      const reply = services().call("http.request", envelope(request, body));
      if (!(reply instanceof Promise)) return this.#take(reply);
      return reply.then((bytes) => this.#take(bytes)).catch((error) => {
        throw failed(request.url, error);
      });
    } catch (error) {
      throw failed(request.url, error);
    }
  }

  /** Headers of the last response, as JSON; 0 if the plug-in may not see them. */
  headers(): bigint {
    const { kernel, settings } = this.#options;
    if (settings.allowHttpResponseHeaders !== true) return 0n;
    const headers: Record<string, string> = Object.create(null);
    for (const [name, value] of this.#headers) {
      const before = headers[name];
      headers[name] = before === undefined ? value : `${before}, ${value}`;
    }
    return kernel.store(ENCODER.encode(JSON.stringify(headers)));
  }

  #take(reply: Bytes): bigint {
    const { kernel, settings } = this.#options;
    const length = new DataView(reply.buffer, reply.byteOffset).getUint32(
      0,
      true,
    );
    const { status, headers } = JSON.parse(
      decodeUtf8(reply.subarray(4, 4 + length)) ?? "",
    );
    const body = reply.subarray(4 + length);
    const { maxHttpResponseBytes = DEFAULT_RESPONSE_BYTES } = settings;
    if (body.length > maxHttpResponseBytes) {
      throw new GuestFault(
        "too-large",
        "HTTP response exceeds the configured maximum number of bytes: " +
          `${maxHttpResponseBytes}`,
      );
    }
    this.status = status;
    this.#headers = headers;
    return kernel.store(body);
  }
}

const ENCODER = new TextEncoder();

/** Reads what a plug-in wrote; nothing of it is trusted. */
function requestOf(bytes: Bytes | undefined): PluginRequest {
  const text = bytes === undefined || bytes.length > MAX_REQUEST_BYTES
    ? undefined
    : decodeUtf8(bytes);
  const request = text === undefined ? undefined : parsed(text);
  if (typeof request !== "object" || request === null) {
    throw invalid("it is no JSON object, or too long");
  }
  const { url, method = "GET", headers, header } = request as Record<
    string,
    unknown
  >;
  if (typeof url !== "string") throw invalid('its "url" is no text');
  if (method !== null && typeof method !== "string") {
    throw invalid('its "method" is no text');
  }
  return {
    url,
    method: (method ?? "GET").toUpperCase(),
    headers: Object.entries(headers ?? header ?? {}).map(([name, value]) => [
      name,
      String(value),
    ]),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A request as `http.request` takes it: length, header in JSON, body. */
function envelope(request: PluginRequest, body: Bytes | undefined): Bytes {
  const header = ENCODER.encode(JSON.stringify(request));
  const bytes = new Uint8Array(4 + header.length + (body?.length ?? 0));
  new DataView(bytes.buffer).setUint32(0, header.length, true);
  bytes.set(header, 4);
  if (body !== undefined) bytes.set(body, 4 + header.length);
  return bytes;
}

function invalid(problem: string): SandboxError<"host-function-failed"> {
  return httpError(`Cannot make the request of the plug-in: ${problem}`);
}

function failed(url: string, error: unknown): unknown {
  if (!(error instanceof GuestFault)) return error;
  const { status, message } = error;
  if (status !== "denied" && status !== "unknown") {
    return httpError(
      `Cannot make the HTTP request to ${quote(url)}: ${printable(message)}`,
      error,
    );
  }
  return new SandboxError(
    "access-denied",
    `HTTP request to ${quote(url)} is not allowed: no allowedHosts match ` +
      `${quote(hostOf(url))} (grant network; ${printable(message)})`,
    {
      cause: error,
      details: {
        capability: "network",
        operation: "network.connect",
        resource: printable(url),
      },
    },
  );
}

function hostOf(url: string): string {
  return URL.parse(url)?.hostname ?? "";
}

function httpError(
  message: string,
  cause?: unknown,
): SandboxError<"host-function-failed"> {
  return new SandboxError("host-function-failed", message, {
    ...(cause === undefined ? {} : { cause }),
    details: { import: { module: EXTISM_MODULE, name: "http_request" } },
  });
}
