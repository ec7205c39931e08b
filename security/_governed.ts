/** What is granted of one type of capability, in force. */

import { Grant } from "./_grant.ts";
import type { SecurityPolicy } from "./policy.ts";
import type { CapabilityKind } from "./types.ts";

/** A type, what can be asked of it, and what is granted. */
export interface Governed {
  readonly kind: CapabilityKind;
  /** `type.action` by action. */
  readonly operations: ReadonlyMap<string, string>;
  readonly grants: readonly Grant[];
}

/** Puts in force what a policy grants of a kind's type. */
export function govern(kind: CapabilityKind, policy: SecurityPolicy): Governed {
  const { type } = kind;
  const grants = policy.capabilities
    .filter((capability) => capability.type === type)
    .map((capability, index) =>
      new Grant(capability, kind, index === 0 ? type : `${type}[${index}]`)
    );
  const operations = new Map(
    kind.actions.map((action) => [action, `${type}.${action}`]),
  );
  return { kind, operations, grants };
}
