/** Cases on what capabilities permit. */

import { SandboxError } from "../errors.ts";
import { SecurityAuditor } from "../security/auditor.ts";
import { SecurityPolicy } from "../security/policy.ts";
import type { Capability, Operation } from "../security/types.ts";
import {
  type CapabilityCase,
  check,
  checkData,
  type KindSubject,
  shown,
} from "./_capability_case.ts";
import { HOSTILE_TEXTS } from "./_capability_inputs.ts";

/** Largest counter that is used up for a look at it. */
const MAX_COUNTED = 10_000;

/** Cases on what capabilities permit. */
export const CAPABILITY_PERMIT_CASES: readonly CapabilityCase[] = [
  { name: "permits() what is granted and no more", run: permitsGranted },
  { name: "permits() nothing that is a character away", run: isExact },
  { name: "permits() no action that it does not name", run: knowsActions },
  { name: "permits() stands hostile operations", run: standsHostile },
  { name: "permits() the same in another process", run: permitsCopies },
  { name: "combine() grants the same either way", run: isCommutative },
  { name: "combine() grants no more than both", run: grantsNoMore },
  { name: "counters() end what they count", run: countersEnd },
  { name: "operation() leaves other names alone", run: leavesOthers },
];

function permitsGranted(subject: KindSubject): void {
  const { kinds } = subject;
  for (const { capability, permits, denies } of subject.examples()) {
    check(permits.length > 0, "an example permits nothing: nothing is tested");
    const policy = SecurityPolicy.strict(kinds);
    const granted = new SecurityAuditor(policy.allowCapability(capability), {
      kinds,
    });
    const without = new SecurityAuditor(policy, { kinds });
    for (const operation of permits) {
      check(
        subject.permits(capability, operation) && granted.permits(operation),
        `it does not permit ${shown(operation)}`,
      );
      check(
        !without.permits(operation),
        `without a grant there is ${shown(operation)}`,
      );
    }
    for (const operation of denies) {
      check(
        !subject.permits(capability, operation),
        `it permits ${shown(operation)}`,
      );
    }
  }
}

function isExact(subject: KindSubject): void {
  for (const { capability, permits } of subject.examples()) {
    for (const operation of permits) {
      const { resource } = operation;
      // an action that is done to nothing in particular has no neighbours
      if (resource === "") continue;
      for (const near of neighbours(resource)) {
        check(
          !subject.permits(capability, { ...operation, resource: near }),
          `it permits ${shown(near)}, and ${shown(resource)} was granted`,
        );
      }
    }
  }
}

/** What is nearly the same, or leads there. */
function neighbours(resource: string): readonly string[] {
  return [
    ...["0", "x", "-", ".", " ", "\0", "\n", "%00", "*", "\u200b"].map(
      (end) => `${resource}${end}`,
    ),
    ...[" ", "x", "\0", "../", "./"].map((start) => `${start}${resource}`),
    resource.slice(0, -1),
    resource.slice(1),
    `${resource}/../x`,
  ];
}

function knowsActions(subject: KindSubject): void {
  const { actions } = subject.kind;
  check(new Set(actions).size === actions.length, "it names an action twice");
  for (const { capability, permits } of subject.examples()) {
    for (const operation of permits) {
      const { action } = operation;
      check(
        actions.includes(action),
        `it permits ${shown(action)}, which is none of its actions`,
      );
      for (const other of [`${action}s`, action.slice(0, -1), ` ${action}`]) {
        if (actions.includes(other)) continue;
        check(
          !subject.permits(capability, { ...operation, action: other }),
          `it permits ${shown(other)}, which is none of its actions`,
        );
      }
    }
  }
}

function standsHostile(subject: KindSubject): void {
  for (const { capability, permits } of subject.examples()) {
    for (const operation of permits) {
      for (const text of HOSTILE_TEXTS) {
        const isKnown = subject.kind.actions.includes(text);
        check(
          isKnown ||
            !subject.permits(capability, { ...operation, action: text }),
          `it permits the action ${shown(text)}`,
        );
        // whether it does is its own affair; that it answers is not
        subject.permits(capability, { ...operation, resource: text });
        subject.permits(capability, { ...operation, via: text });
      }
    }
  }
}

function permitsCopies(subject: KindSubject): void {
  for (const { capability, permits, denies } of subject.examples()) {
    const copy = structuredClone(capability);
    for (const operation of [...permits, ...denies]) {
      check(
        subject.permits(copy, operation) ===
          subject.permits(capability, operation),
        `a copy decides otherwise on ${shown(operation)}`,
      );
    }
  }
}

function isCommutative(subject: KindSubject): void {
  for (const { one, other, probes } of pairs(subject)) {
    const both = combined(subject, one, other);
    const reversed = combined(subject, other, one);
    check(
      (both === undefined) === (reversed === undefined),
      "two grants can be combined in one order only",
    );
    if (both === undefined || reversed === undefined) continue;
    for (const operation of probes) {
      check(
        subject.permits(both, operation) ===
          subject.permits(reversed, operation),
        `the order of two grants decides on ${shown(operation)}`,
      );
    }
  }
}

function grantsNoMore(subject: KindSubject): void {
  for (const { one, other, probes } of pairs(subject)) {
    const both = combined(subject, one, other);
    if (both === undefined) continue;
    for (const operation of probes) {
      check(
        !subject.permits(both, operation) || subject.permits(one, operation) ||
          subject.permits(other, operation),
        `two grants together permit ${shown(operation)}, and neither does`,
      );
    }
  }
}

interface Pair {
  readonly one: Capability;
  readonly other: Capability;
  readonly probes: readonly Operation[];
}

/** All pairs of examples, with all that is known to be asked of them. */
function* pairs(subject: KindSubject): Iterable<Pair> {
  const examples = subject.examples();
  const probes = examples.flatMap(({ permits, denies }) =>
    [...permits, ...denies].flatMap((operation) =>
      subject.kind.actions.flatMap((action) =>
        [operation.resource, ...neighbours(operation.resource)].map(
          (resource) => ({ ...operation, action, resource }),
        )
      )
    )
  );
  for (const [index, { capability: one }] of examples.entries()) {
    for (const { capability: other } of examples.slice(index + 1)) {
      yield { one, other, probes };
    }
  }
}

/** What two grants are together; nothing, if they contradict. */
function combined(
  { kind }: KindSubject,
  one: Capability,
  other: Capability,
): Capability | undefined {
  if (kind.combine === undefined) return undefined;
  let both: Capability;
  try {
    both = kind.combine(one, other);
  } catch (error) {
    check(
      SandboxError.is(error, "invalid-capability"),
      `combine threw ${shown(error)}`,
    );
    return undefined;
  }
  checkData(both, "what combine gave");
  check(both.type === kind.type, "combine gave one of another type");
  return both;
}

function countersEnd(subject: KindSubject): void {
  const { kind, kinds } = subject;
  for (const { capability, permits } of subject.examples()) {
    const counters = kind.counters?.(capability) ?? {};
    for (const operation of permits) {
      const costs = Object.entries(kind.costs?.(capability, operation) ?? {});
      for (const [name] of costs) {
        check(
          Object.hasOwn(counters, name),
          `it takes ${shown(name)}, which it does not count`,
        );
      }
      const turns = costs.map(([name, cost]) =>
        cost > 0 ? Math.floor((counters[name] ?? 0) / cost) : Infinity
      );
      const most = Math.min(...turns);
      if (most > MAX_COUNTED) continue;
      const policy = SecurityPolicy.strict(kinds).allowCapability(capability);
      const auditor = new SecurityAuditor(policy, { kinds });
      for (let turn = 0; turn < most; turn++) auditor.permits(operation);
      check(isUsedUp(auditor, operation), `no counter ends after ${most}`);
    }
  }
}

function isUsedUp(auditor: SecurityAuditor, operation: Operation): boolean {
  try {
    auditor.permits(operation);
    return false;
  } catch (error) {
    return SandboxError.is(error, "limit-exceeded");
  }
}

function leavesOthers({ kind }: KindSubject): void {
  for (const name of ["", "unknown", "elsewhere.read", "__proto__"]) {
    check(
      kind.operation?.(name, []) === undefined,
      `it takes the operation ${shown(name)} for its own`,
    );
  }
}
