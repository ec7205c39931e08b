/**
 * The capability `network`: connections to named hosts.
 *
 * @module
 */

import { quote } from "../_text.ts";
import { union } from "./_data.ts";
import { canonicalHost, defaultPort, isAddress, parseOrigin } from "./_host.ts";
import { type Input, readCapability } from "./_parse.ts";
import type {
  CapabilityKind,
  DenoPermissions,
  NetworkCapability,
  NetworkHost,
} from "./types.ts";

/** A host with what may stand around it: scheme and port. */
const HOST_TEXT =
  /^(?:(https?):\/\/)?(\[[^[\]]*\]|[^:[\]]+)(?::([0-9]{1,5}))?$/i;

const METHOD = /^[A-Z0-9!#$%&'+.^_`|~-]{1,32}$/;

/** Every method. */
const ANY = "*";

/**
 * Grants connections to hosts, by exact name or address, or to all names below
 * a domain. Hosts are compared in the one spelling that the WHATWG URL parser
 * gives them.
 *
 * Operations: `connect` to `https://host:port`, where `via` is the method.
 * Whoever dials must besides check each address that the name stands for (one
 * that is not public must be granted itself), and ask again for each redirect,
 * as `GuestHttp` does.
 */
export const networkKind: CapabilityKind<NetworkCapability> = {
  type: "network",
  actions: ["connect", "socket"],
  schema: {
    type: "object",
    description: "Grants connections to named hosts.",
    properties: {
      type: { const: "network" },
      hosts: {
        type: "array",
        minItems: 1,
        items: {
          oneOf: [
            {
              type: "string",
              minLength: 1,
              description: '"host", "host:port" or "https://host:port".',
            },
            {
              type: "object",
              properties: {
                host: {
                  type: "string",
                  minLength: 1,
                  description: "Exact, or `*.` and a domain of two names.",
                },
                ports: {
                  description: "Those of the schemes, 443 and 80, if left out.",
                  type: "array",
                  minItems: 1,
                  items: { type: "integer", minimum: 1, maximum: 65_535 },
                },
                schemes: {
                  type: "array",
                  minItems: 1,
                  items: { enum: ["http", "https"] },
                  default: ["https"],
                },
                methods: {
                  type: "array",
                  minItems: 1,
                  items: { type: "string", minLength: 1 },
                  default: ["*"],
                },
              },
              required: ["host"],
              additionalProperties: false,
            },
          ],
        },
      },
    },
    required: ["type", "hosts"],
    additionalProperties: false,
  },
  notProtected: [
    "All that the guest knows can be sent to a host that it may reach.",
    "A domain with a wildcard lets it reach whoever can get a name there.",
    "Names are looked up where this machine looks them up: whoever answers for a granted name sees that it is asked for, and chooses which public address is dialled.",
    "How long requests take tells a guest which hosts are near and which are there.",
  ],

  parse(input) {
    const fields = readCapability("network", input, ["hosts"]);
    const hosts = fields.hosts.list(parseHost, 1);
    return Object.freeze({
      type: "network",
      hosts: Object.freeze(union([], hosts)),
    });
  },

  permits({ hosts }, { action, resource, via }) {
    if (action !== "connect") return false;
    const origin = parseOrigin(resource);
    return origin !== undefined &&
      hosts.some((each) =>
        matches(each.host, origin.host) &&
        each.ports.includes(origin.port) &&
        each.schemes.includes(origin.scheme) &&
        (each.methods.includes(ANY) ||
          via !== undefined && via !== ANY && each.methods.includes(via))
      );
  },

  combine(granted, added) {
    const hosts = union(granted.hosts, added.hosts);
    return networkKind.parse({ type: "network", hosts });
  },

  denoPermissions({ hosts }): DenoPermissions {
    const net = hosts.flatMap(({ host, ports }) =>
      ports.map((port) => `${host}:${port}`)
    );
    return { net: [...new Set(net)] };
  },

  describe({ hosts }) {
    return hosts.map(({ host, ports, schemes, methods }) => {
      const what = methods.includes(ANY) ? "" : ` with ${methods.join(", ")}`;
      const whom = host.startsWith("*.")
        ? `every host below ${host.slice(2)}`
        : host;
      return `It may connect to ${whom}, port ${ports.join(", ")}, by ` +
        `${schemes.join(" and ")}${what}.`;
    });
  },
};

function parseHost(item: Input): NetworkHost {
  if (item.isText) return parseHostText(item);
  const { host, ports, schemes, methods } = item.fields([
    "host",
    "ports",
    "schemes",
    "methods",
  ]);
  const hostName = parseHostName(host, host.text());
  const chosen = schemes.given
    ? schemes.list((each) => each.choice(["http", "https"]), 1)
    : ["https"];
  return freezeHost({
    host: hostName,
    schemes: chosen,
    ports: ports.given
      ? ports.list((each) => each.integer({ min: 1, max: 65_535 }), 1)
      : chosen.map(defaultPort),
    methods: methods.given ? methods.list(parseMethod, 1) : [ANY],
  });
}

/**
 * Reads `host`, `host:port` or `scheme://host:port`. Without a scheme a port
 * is open to both, and its lack means HTTPS.
 */
function parseHostText(item: Input): NetworkHost {
  const text = item.text();
  const [, scheme, name, port] = HOST_TEXT.exec(text) ?? [];
  if (name === undefined) {
    throw item.error(
      `must be a host, host:port or http(s)://host:port, without a path: ` +
        quote(text),
    );
  }
  const schemes = scheme !== undefined
    ? [scheme.toLowerCase()]
    : port === undefined
    ? ["https"]
    : ["http", "https"];
  const number = Number(port);
  if (port !== undefined && (number < 1 || number > 65_535)) {
    throw item.error(`must have a port from 1 to 65535: ${quote(text)}`);
  }
  return freezeHost({
    host: parseHostName(item, name),
    schemes,
    ports: port === undefined ? schemes.map(defaultPort) : [number],
    methods: [ANY],
  });
}

function parseHostName(input: Input, text: string): string {
  const isWildcard = text.startsWith("*.");
  const host = canonicalHost(isWildcard ? text.slice(2) : text);
  if (host === undefined) {
    throw input.error(
      `must be a host's name or address, or "*." and a domain: ${quote(text)}`,
    );
  }
  if (!isWildcard) return host;
  if (isAddress(host) || !host.includes(".")) {
    throw input.error(
      `must have a domain of at least two names after "*.": ${quote(text)}`,
    );
  }
  return `*.${host}`;
}

function parseMethod(input: Input): string {
  const text = input.text();
  if (text !== ANY && !METHOD.test(text)) {
    throw input.error(`must be a method in capitals or "*": ${quote(text)}`);
  }
  return text;
}

function freezeHost(host: NetworkHost): NetworkHost {
  const unique = <T>(list: readonly T[]) => Object.freeze([...new Set(list)]);
  return Object.freeze({
    host: host.host,
    ports: unique(host.ports),
    schemes: unique(host.schemes),
    methods: unique(host.methods),
  });
}

function matches(granted: string, host: string): boolean {
  if (!granted.startsWith("*.")) return granted === host;
  return host.length > granted.length - 1 && host.endsWith(granted.slice(1));
}
