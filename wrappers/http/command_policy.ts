/** What a program needs to be a CGI program, beside what its user grants. */

import { quote } from "../../_text.ts";
import { CapabilityKinds } from "../../security/kinds.ts";
import { SecurityPolicy } from "../../security/policy.ts";
import type { EnvironmentCapability } from "../../security/types.ts";
import { programPolicy } from "../program_policy.ts";
import {
  CGI_VARIABLES,
  DEFAULT_CGI_HEADERS,
  variableOf,
} from "./cgi_variables.ts";
import type { HttpServerOptions } from "./types.ts";

/** What a program is granted, and what each of its runs is given. */
export interface CommandGrants {
  readonly policy: SecurityPolicy;
  /** Headers that it is told of. */
  readonly forwards: ReadonlySet<string>;
  /** Variables of the host that the user passes on, as they are now. */
  readonly fixed: Readonly<Record<string, string>>;
}

/**
 * Grants what a CGI program cannot do without: what any program needs, and the
 * variables of a request.
 *
 * @param options The options of the server.
 * @returns The policy, and what goes with it.
 * @throws {TypeError} If a variable cannot be read, or a header not be passed on.
 */
export function commandGrants(
  { policy: given = [], capabilityKinds, forwardHeaders }: HttpServerOptions,
): CommandGrants {
  const kinds = capabilityKinds ?? new CapabilityKinds();
  const policy = given instanceof SecurityPolicy
    ? given
    : SecurityPolicy.from(given, kinds);
  const forwards = new Set(
    (forwardHeaders ?? DEFAULT_CGI_HEADERS).map((name) => name.toLowerCase()),
  );
  checkForwards(forwards);
  const environment = policy.capabilities.filter((
    capability,
  ): capability is EnvironmentCapability => capability.type === "environment");
  const own = new Set(
    environment.flatMap(({ variables }) => Object.keys(variables)),
  );
  const names = [...CGI_VARIABLES, ...[...forwards].map(variableOf)];
  const clash = names.find((name) => own.has(name));
  if (clash !== undefined) throw taken(clash);
  return {
    policy: programPolicy({ policy }, { arguments: false, pass: names }),
    forwards,
    fixed: hostValues(environment.flatMap(({ pass }) => pass)),
  };
}

/** A client could set `HTTP_PROXY` with it, which programs take for their own. */
function checkForwards(forwards: ReadonlySet<string>): void {
  if (!forwards.has("proxy")) return;
  throw new TypeError(
    'Cannot create http_server: forwardHeaders has "proxy", by which a client ' +
      "could set HTTP_PROXY (leave it out)",
  );
}

function taken(name: string): TypeError {
  return new TypeError(
    `Cannot create http_server: the policy gives ${
      quote(name)
    } a value, which ` +
      "each request gives another (leave it out)",
  );
}

/** The host's own values, read once. */
function hostValues(names: readonly string[]): Record<string, string> {
  const values: Record<string, string> = {};
  for (const name of names) {
    try {
      const value = Deno.env.get(name);
      if (value !== undefined) values[name] = value;
    } catch (cause) {
      throw new TypeError(
        `Cannot create http_server: the policy passes on ${
          quote(name)
        }, which ` +
          "this program may not read (allow it, or take it out of pass)",
        { cause },
      );
    }
  }
  return values;
}
