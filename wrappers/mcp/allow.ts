/**
 * Who may speak to a server over HTTP. A browser lets any page send requests to
 * this machine, and a name that the page's owner controls may lead here: the host
 * and the origin that a request names tell on them.
 */

/** Names of this machine. */
const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

/** What may stand in a Host header. */
const HOST = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/;

/** What the options allow. */
export interface Allowed {
  readonly allowedHosts?: readonly string[] | undefined;
  readonly allowedOrigins?: readonly string[] | undefined;
}

/**
 * Whether a request comes from where it may.
 *
 * @param request The request.
 * @param allowed What the options allow.
 * @returns What is wrong, for the client; undefined, if nothing is.
 */
export function strangerProblem(
  { headers, url }: Request,
  { allowedHosts = LOOPBACK, allowedOrigins }: Allowed,
): string | undefined {
  const host = (headers.get("host") ?? new URL(url).host).toLowerCase();
  if (!HOST.test(host)) return "Invalid Host header";
  const bare = host.replace(/:\d+$/, "");
  const isKnown = allowedHosts.some((each) => {
    const allowed = each.toLowerCase();
    return allowed === host || allowed === bare;
  });
  if (!isKnown) return "Host not allowed";
  const origin = headers.get("origin");
  if (origin === null) return undefined;
  const isAllowed = allowedOrigins === undefined
    ? isLocal(origin)
    : allowedOrigins.some((each) =>
      each.toLowerCase() === origin.toLowerCase()
    );
  return isAllowed ? undefined : "Origin not allowed";
}

function isLocal(origin: string): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, hostname } = new URL(origin);
  return /^https?:$/.test(protocol) && LOOPBACK.includes(hostname);
}
