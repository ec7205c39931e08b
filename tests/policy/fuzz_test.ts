import { assert, assertEquals, assertLess } from "@std/assert";
import {
  parsePolicy,
  stringifyPolicy,
} from "../../security/policy_file/mod.ts";
import { Random } from "../v8/_random.ts";
import { mutate } from "./_mutate.ts";
import { problemsOf, WHOLE } from "./_policy.ts";

/** Longest time that one text may take, in milliseconds, slow machines too. */
const MAX_MS = 1_500;

/** Every text gives a policy or `invalid-policy`; a policy is one for good. */
function check(text: string, format: "yaml" | "json"): boolean {
  const start = performance.now();
  // fails on whatever else is thrown
  const problems = problemsOf(text, { format });
  assertLess(performance.now() - start, MAX_MS);
  if (problems.length > 0) return false;
  const document = parsePolicy(text, { format, baseDirectory: "/srv" });
  const copy = parsePolicy(stringifyPolicy(document));
  assertEquals(copy.policy.capabilities, document.policy.capabilities);
  assertEquals(copy.limits, document.limits);
  return true;
}

Deno.test("parsePolicy() takes or refuses whatever text there is", () => {
  const json = stringifyPolicy(
    parsePolicy(WHOLE, { baseDirectory: "/srv" }),
    "json",
  );
  const accepted = { yaml: 0, json: 0 };
  const random = new Random(3);
  for (let round = 0; round < 1_000; round++) {
    if (check(mutate(WHOLE, random), "yaml")) accepted.yaml++;
    if (check(mutate(json, random), "json")) accepted.json++;
  }
  // some mutations change nothing that matters
  assert(accepted.yaml > 20 && accepted.json > 20, JSON.stringify(accepted));
  assert(accepted.yaml < 800 && accepted.json < 800);
});

Deno.test("parsePolicy() takes or refuses whatever bytes there are", () => {
  const random = new Random(4);
  const whole = new TextEncoder().encode(WHOLE);
  for (let round = 0; round < 500; round++) {
    const bytes = whole.slice();
    for (let step = random.below(4); step >= 0; step--) {
      bytes[random.below(bytes.length)] = random.below(256);
    }
    problemsOf(bytes);
    problemsOf(bytes.subarray(random.below(bytes.length)));
  }
});

Deno.test("parsePolicy() is done soon with the longest texts", () => {
  const size = 262_144;
  const fill = (start: string, part: string, end = "") =>
    start + part.repeat((size - start.length - end.length) / part.length) + end;
  for (
    const text of [
      fill("a: ", "x"),
      fill("a: ", "x "),
      fill("a: x", " ", "y"),
      fill("", "x", ": 1"),
      fill("", "x :y"),
      fill("", "x: "),
      fill('a: "', "\\n"),
      fill("a: '", "''"),
      fill("", "- a\n"),
      fill("", "- "),
      fill("[", "[],", "]"),
      fill("[", "{},", "]"),
      fill("", "#\n"),
      fill("", "\n"),
      fill("", " "),
      fill("a: x", "#"),
      fill("a: x", ":"),
      fill("a: [", "a, ", "]"),
      fill("{", "a", ": 1}"),
      fill("version: 1\ncapabilities: [", "{type: a},", "]"),
      fill("version: 1\ncapabilities: [{type: network, hosts: [", "1,", "]}]"),
      fill(
        "version: 1\ncapabilities: [{type: filesystem, mounts: [",
        "{guest: 1},",
        "]}]",
      ),
    ]
  ) {
    check(text, "yaml");
    check(text, "json");
  }
});
