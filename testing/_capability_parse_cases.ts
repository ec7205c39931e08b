/** Cases on reading capabilities. */

import { sameData } from "../security/_data.ts";
import { isPlainObject } from "../security/_parse.ts";
import { parsePolicy } from "../security/policy_file/mod.ts";
import {
  type CapabilityCase,
  check,
  checkData,
  type KindSubject,
  shown,
} from "./_capability_case.ts";
import { HOSTILE_TEXTS, NO_DATA, nonsense } from "./_capability_inputs.ts";
import { renamed, replaced } from "./_variants.ts";

/** Cases on reading capabilities. */
export const CAPABILITY_PARSE_CASES: readonly CapabilityCase[] = [
  { name: "parse() gives frozen data of its type", run: givesFrozenData },
  { name: "parse() gives the same after JSON and in other hands", run: same },
  { name: "parse() refuses what is no capability", run: refusesNonsense },
  {
    name: "parse() refuses properties that it does not know",
    run: refusesMore,
  },
  { name: "parse() sees own properties only", run: seesOwn },
  { name: "parse() stands hostile parts", run: standsHostile },
  { name: "parse() keeps nothing of what it was given", run: keepsNothing },
  { name: "schema describes what parse() takes", run: isDescribed },
];

function givesFrozenData(subject: KindSubject): void {
  for (const { input, capability } of subject.examples()) {
    check(
      capability.type === subject.kind.type,
      `parse gave a capability of the type ${shown(capability.type)}`,
    );
    checkData(capability, `what parse gave for ${shown(input)}`);
  }
}

function same(subject: KindSubject): void {
  for (const { capability } of subject.examples()) {
    const written = JSON.parse(JSON.stringify(capability));
    for (const copy of [written, structuredClone(capability), capability]) {
      const again = subject.parse(copy, "a capability that it made");
      check(
        sameData(again, capability),
        `parse made ${shown(again)} of its own ${shown(capability)}`,
      );
    }
  }
}

function refusesNonsense(subject: KindSubject): void {
  for (const [what, input] of nonsense(subject.kind.type)) {
    check(
      subject.parse(input, what) === undefined,
      `parse took ${what}: ${shown(input)}`,
    );
  }
}

function refusesMore(subject: KindSubject): void {
  for (const { input } of subject.examples()) {
    for (const name of ["unknown", "__proto__", "constructor"]) {
      const more = Object.fromEntries([...Object.entries(input), [name, {}]]);
      check(
        subject.parse(more, "a property more") === undefined,
        `parse took a property ${shown(name)} that it does not know`,
      );
    }
  }
}

function seesOwn(subject: KindSubject): void {
  for (const { input } of subject.examples()) {
    check(
      subject.parse(Object.create(input), "an heir") === undefined,
      "parse took properties that are inherited",
    );
  }
}

function standsHostile(subject: KindSubject): void {
  for (const { input } of subject.examples()) {
    for (const variant of replaced(input, () => NO_DATA)) {
      check(
        subject.parse(variant.input, variant.path) === undefined,
        `parse took what is no data for ${variant.path}`,
      );
    }
    const others = [null, true, -1, 1.5, 2 ** 53, [], {}, ...HOSTILE_TEXTS];
    for (const { path, input: other } of replaced(input, () => others)) {
      subject.parse(other, path);
    }
    for (const { path, input: other } of renamed(input, HOSTILE_TEXTS)) {
      subject.parse(other, path);
    }
  }
}

function keepsNothing(subject: KindSubject): void {
  for (const { input } of subject.examples()) {
    const given = structuredClone(input);
    const capability = subject.kind.parse(given);
    const before = JSON.stringify(capability);
    spoil(given);
    check(
      JSON.stringify(capability) === before,
      "a capability changed with what it was parsed from",
    );
  }
}

function spoil(value: unknown): void {
  if (Array.isArray(value)) {
    value.forEach(spoil);
    value.push("spoilt");
  } else if (isPlainObject(value)) {
    Object.values(value).forEach(spoil);
    Object.assign(value, { spoilt: true });
  }
}

function isDescribed(subject: KindSubject): void {
  const { kind, kinds } = subject;
  const { properties = {}, additionalProperties } = kind.schema;
  check(
    additionalProperties === false,
    "its schema takes properties that parse refuses",
  );
  check(
    properties.type?.const === kind.type,
    "its schema does not name its type",
  );
  for (const { input, capability } of subject.examples()) {
    for (const name of Object.keys(capability)) {
      check(
        Object.hasOwn(properties, name),
        `its schema does not know ${shown(name)}`,
      );
    }
    const text = JSON.stringify({ version: 1, capabilities: [input] });
    const { policy } = parsePolicy(text, {
      kinds,
      format: "json",
      baseDirectory: Deno.cwd(),
    });
    check(
      sameData(policy.capabilities, [capability]),
      `a policy file makes ${shown(policy.capabilities)} of ${shown(input)}`,
    );
  }
}
