/** Whether what is granted covers what is asked for. */

import { CapabilityKinds } from "../../security/kinds.ts";
import type {
  BuiltInCapability,
  SecurityPolicy,
} from "../../security/policy.ts";
import { SecurityPolicy as Policy } from "../../security/policy.ts";
import type {
  Capability,
  CustomAccessCapability,
  Mount,
  NetworkCapability,
  NetworkHost,
} from "../../security/types.ts";

/** Asks whether one capability covers another of its type. */
type Covers = {
  [C in BuiltInCapability as C["type"]]: (granted: C, asked: C) => boolean;
};

/** Capabilities that are joined: a policy has one of each at the most. */
const COVERS: Omit<Covers, "custom_access"> = {
  clock: (granted, asked) => {
    switch (asked.mode) {
      case "real":
        return granted.mode === "real";
      case "coarse":
        return granted.mode === "real" || granted.mode === "coarse" &&
            granted.resolutionNs <= asked.resolutionNs;
      case "virtual":
        // it tells nothing of the host
        return true;
    }
  },
  environment: (granted, asked) =>
    isWithin(asked.pass, granted.pass) &&
    Object.entries(asked.variables).every(([name, value]) =>
      Object.hasOwn(granted.variables, name) &&
      granted.variables[name] === value
    ),
  filesystem: (granted, asked) =>
    asked.mounts.every((mount) =>
      granted.mounts.some((each) => coversMount(each, mount))
    ),
  // deno-lint-ignore camelcase -- a type of capability
  host_functions: (granted, asked) =>
    isWithin(asked.functions, granted.functions) &&
    asked.functions.every((name) =>
      callsOf(asked.maxCalls, name) <= callsOf(granted.maxCalls, name)
    ),
  network: coversHosts,
  process: (granted, asked) =>
    (granted.arguments || !asked.arguments) && (granted.exit || !asked.exit),
  random: (granted, asked) =>
    granted.seed === undefined || granted.seed === asked.seed,
  stdio: (granted, asked) =>
    (granted.stdin || !asked.stdin) && (granted.stdout || !asked.stdout) &&
    (granted.stderr || !asked.stderr),
};

/**
 * The capabilities that are asked for and not covered by what is granted. In
 * doubt one is not covered.
 *
 * @param granted What is granted.
 * @param asked What is asked for.
 * @param kinds The kinds of capabilities.
 * @returns Those that need approval.
 */
export function notCovered(
  granted: SecurityPolicy,
  asked: SecurityPolicy,
  kinds: CapabilityKinds,
): readonly Capability[] {
  const builtIn = new CapabilityKinds();
  const budgets = new Budgets(granted);
  return asked.capabilities.filter((capability) => {
    const { type } = capability;
    // who has put a kind of their own in its place knows better than this table
    const isBuiltIn = builtIn.has(type) && kinds.has(type) &&
      builtIn.get(type) === kinds.get(type);
    if (!isBuiltIn) return !isJoinedInto(granted, capability, kinds);
    if (type === "custom_access") {
      return !budgets.take(capability as CustomAccessCapability);
    }
    const grant = granted.find(type);
    const covers = COVERS[type as keyof typeof COVERS] as (
      granted: Capability,
      asked: Capability,
    ) => boolean;
    return grant === undefined || !covers(grant, capability);
  });
}

/** A capability that adds nothing when it is granted too is covered. */
function isJoinedInto(
  granted: SecurityPolicy,
  asked: Capability,
  kinds: CapabilityKinds,
): boolean {
  try {
    const before = Policy.from(granted.toJSON(), kinds);
    const after = before.allowCapability(asked);
    return JSON.stringify(after) === JSON.stringify(before);
  } catch {
    // they contradict each other
    return false;
  }
}

/** What is left of the operations of each grant: several asks share one. */
class Budgets {
  readonly #left = new Map<CustomAccessCapability, number>();

  constructor(granted: SecurityPolicy) {
    for (const capability of granted) {
      if (capability.type !== "custom_access") continue;
      const grant = capability as CustomAccessCapability;
      this.#left.set(grant, grant.maxOperations);
    }
  }

  take(asked: CustomAccessCapability): boolean {
    for (const [grant, left] of this.#left) {
      if (left < asked.maxOperations || grant.readOnly && !asked.readOnly) {
        continue;
      }
      const isCovered = asked.resources.every((resource) =>
        grant.resources.some((each) => isBelow(resource, each))
      );
      if (!isCovered) continue;
      this.#left.set(grant, left - asked.maxOperations);
      return true;
    }
    return false;
  }
}

/** The same directory: one below it could be reached through a link. */
function coversMount(granted: Mount, asked: Mount): boolean {
  if (granted.guest !== asked.guest) return false;
  if (asked.access === "read-write" && granted.access === "read") return false;
  if (asked.symlinks === "within" && granted.symlinks === "refuse") {
    return false;
  }
  return "host" in granted
    ? "host" in asked && granted.host === asked.host
    : "memory" in asked && asked.maxBytes <= granted.maxBytes;
}

/** Each port, scheme and method by itself: several grants may share an ask. */
function coversHosts(
  granted: NetworkCapability,
  asked: NetworkCapability,
): boolean {
  return asked.hosts.every(({ host, ports, schemes, methods }) => {
    const near = granted.hosts.filter((each) => coversName(each.host, host));
    return ports.every((port) =>
      schemes.every((scheme) =>
        methods.every((method) =>
          near.some((each) => permits(each, { port, scheme, method }))
        )
      )
    );
  });
}

function permits(
  { ports, schemes, methods }: NetworkHost,
  asked: {
    readonly port: number;
    readonly scheme: string;
    readonly method: string;
  },
): boolean {
  return ports.includes(asked.port) && schemes.includes(asked.scheme) &&
    (methods.includes("*") || methods.includes(asked.method));
}

function coversName(granted: string, asked: string): boolean {
  if (granted === asked) return true;
  // "*.a.b" covers "x.a.b" and "*.x.a.b"
  return granted.startsWith("*.") && asked.length > granted.length - 1 &&
    asked.replace(/^\*/, "").endsWith(granted.slice(1));
}

function isBelow(resource: string, granted: string): boolean {
  return resource === granted || resource.startsWith(`${granted}/`);
}

function isWithin(asked: readonly string[], granted: readonly string[]) {
  return asked.every((each) => granted.includes(each));
}

function callsOf(
  maxCalls: Readonly<Record<string, number>>,
  name: string,
): number {
  return Object.hasOwn(maxCalls, name) ? maxCalls[name] ?? 0 : Infinity;
}
