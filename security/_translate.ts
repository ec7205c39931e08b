/** Operations by name, as `SecurityAuditor.auditOperation` takes them. */

import { quote } from "../_text.ts";
import { SandboxError } from "../errors.ts";
import { defuse } from "./_foreign.ts";
import { isPlainObject } from "./_parse.ts";
import type { CapabilityKind, Operation } from "./types.ts";

/** An operation, or as much of it as is known where something is wrong. */
export interface Translation {
  /** The operation. Where nobody knows its name, its capability is `""`. */
  readonly operation: Operation;
  /** What kept it from being understood. */
  readonly failure?: unknown;
}

/**
 * Finds out what an operation is: `type.action` of a kind, or a name of some
 * kind's own. Kinds that were registered last are asked first, since a
 * built-in one takes every name that begins with `custom_`.
 */
export function translate(
  kinds: readonly CapabilityKind[],
  name: string,
  args: readonly unknown[],
): Translation {
  if (typeof name !== "string") return translate(kinds, typeof name, args);
  const [type = "", action = "", ...rest] = name.split(".", 3);
  const named = rest.length === 0 &&
    kinds.find((kind) => kind.type === type && kind.actions.includes(action));
  if (named) return ask(named, name, () => generic(type, action, args));
  for (const kind of kinds.toReversed()) {
    const found = ask(kind, name, () => kind.operation?.(name, args));
    if (found.operation !== NOTHING) return found;
  }
  return {
    operation: { capability: "", action: name, resource: "", via: name },
  };
}

const NOTHING: Operation = Object.freeze({
  capability: "",
  action: "",
  resource: "",
});

/** Lets a kind translate; what it throws or makes up is a failure. */
function ask(
  kind: CapabilityKind,
  name: string,
  read: () => unknown,
): Translation {
  const operation = {
    capability: kind.type,
    action: name,
    resource: "",
    via: name,
  };
  try {
    const found = read();
    if (found === undefined) return { operation: NOTHING };
    if (isOperationOf(kind, found)) {
      return { operation: { ...found, via: name } };
    }
    defuse(found);
    return { operation, failure: "its kind made no operation of it" };
  } catch (failure) {
    return { operation, failure: failure ?? "its kind failed" };
  }
}

function generic(
  capability: string,
  action: string,
  args: readonly unknown[],
): Operation {
  const [resource = ""] = args;
  if (typeof resource === "string") return { capability, action, resource };
  const operation = `${capability}.${action}`;
  const problem = "the first argument must be the resource, as text";
  throw new SandboxError(
    "invalid-argument",
    `Cannot decide on ${quote(operation)}: ${problem}`,
    { details: { operation, problem } },
  );
}

function isOperationOf(
  kind: CapabilityKind,
  value: unknown,
): value is Operation {
  return isPlainObject(value) && value.capability === kind.type &&
    typeof value.action === "string" && typeof value.resource === "string";
}
