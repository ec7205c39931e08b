/** Names of hosts in one spelling. */

/** What the URL parser would drop or take for a separator. */
const NO_HOST = /[\s\p{Cc}/\\?#@*]/u;

/**
 * Names of letters, digits, `-` and `_`, and addresses. The URL parser takes
 * more, such as commas, which part hosts in a flag of Deno's.
 */
const HOST = /^(?:\[[0-9a-f:]+\]|[\w-]+(?:\.[\w-]+)*)$/;

const MAPPED = /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/;

const ADDRESS = /^(?:\[.*\]|[0-9.]+)$/;

/** An origin: whom to reach, and how. */
export interface Origin {
  /** `"http"` or `"https"`. */
  readonly scheme: string;
  /** In one spelling. */
  readonly host: string;
  /** From 1 to 65,535. */
  readonly port: number;
}

/**
 * The one spelling of a host, as the WHATWG URL parser has it: in lower case,
 * punycode, addresses in their usual form, without a dot at the end, and
 * IPv4 addresses within IPv6 as IPv4.
 *
 * @returns The spelling; undefined, if it is no host.
 */
export function canonicalHost(text: string): string | undefined {
  if (text === "" || text.length > 1_024 || NO_HOST.test(text)) {
    return undefined;
  }
  const isBareV6 = text.includes(":") && !text.startsWith("[");
  const url = URL.parse(`https://${isBareV6 ? `[${text}]` : text}/`);
  if (url === null || url.port !== "" || /:\d*$/.test(withoutV6(text))) {
    return undefined;
  }
  return oneSpelling(url.hostname);
}

/** Whether a host is an address and no name. */
export function isAddress(host: string): boolean {
  return ADDRESS.test(host);
}

/**
 * Reads `https://host:port`, where the scheme's own port may be left out.
 *
 * @returns The origin; undefined, if there is anything else in it.
 */
export function parseOrigin(text: string): Origin | undefined {
  const parts = /^(https?):\/\/([^/]+)\/?$/i.exec(text);
  const authority = parts?.[2];
  if (authority === undefined || NO_HOST.test(authority)) return undefined;
  const url = URL.parse(text);
  if (url === null) return undefined;
  const host = oneSpelling(url.hostname);
  const scheme = url.protocol.slice(0, -1);
  const port = url.port === "" ? defaultPort(scheme) : Number(url.port);
  if (host === undefined || port === 0) return undefined;
  return { scheme, host, port };
}

/** The port that a scheme stands for. */
export function defaultPort(scheme: string): number {
  return scheme === "http" ? 80 : 443;
}

function withoutV6(text: string): string {
  return text.startsWith("[") ? text.slice(text.indexOf("]") + 1) : "";
}

function oneSpelling(hostname: string): string | undefined {
  const [, high, low] = MAPPED.exec(hostname) ?? [];
  if (high !== undefined && low !== undefined) {
    const bytes = [high, low].map((part) => parseInt(part, 16))
      .flatMap((part) => [part >> 8, part & 0xff]);
    return bytes.join(".");
  }
  const host = hostname.endsWith(".") ? hostname.slice(0, -1) : hostname;
  return HOST.test(host) ? host : undefined;
}
