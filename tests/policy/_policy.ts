import { assert } from "@std/assert";
import { type PolicyProblem, SandboxError } from "../../errors.ts";
import {
  parsePolicy,
  type ParsePolicyOptions,
} from "../../security/policy_file/mod.ts";

/** A policy with something of everything. */
export const WHOLE = `# a comment
version: 1
limits: { memoryBytes: 64MiB, timeoutMs: 2s, fuel: 10M, "openFiles": 16, }
isolation: process
capabilities:
  - type: filesystem
    mounts:
      - { guest: /data, host: ./data, access: read }
      - guest: /tmp # in memory
        memory: true
        maxBytes: 1048576
  - { type: environment, variables: { A: "yes", B: 'it''s' }, pass: [HOME] }
  - type: network
    hosts: [ "*.example.com", "http://localhost:8080",
      { host: example.org, methods: [GET] } ]
  - type: clock
    mode: virtual
    startMs: 1000
  - type: random
    seed: 7
  - type: process
    exit: true
  - type: stdio
    stdin: false
  - type: host_functions
    functions: [env.log]
  - type: custom_access
    resources: [a, b]
    maxOperations: 3
`;

/** The problems that a policy has; none, if it can be used. */
export function problemsOf(
  text: string | Uint8Array,
  options: ParsePolicyOptions = {},
): readonly PolicyProblem[] {
  try {
    parsePolicy(text, { source: "p.yaml", baseDirectory: "/srv", ...options });
    return [];
  } catch (error) {
    // whatever else is thrown is a failure of the reader
    assert(SandboxError.is(error, "invalid-policy"), String(error));
    const { problems = [] } = error.details;
    assert(problems.length > 0 && problems.length <= 20);
    assert(problems.every(({ message }) => error.message.includes(message)));
    return problems;
  }
}

/** What is said of the first problem; undefined, if there is none. */
export function firstProblem(
  text: string | Uint8Array,
  options: ParsePolicyOptions = {},
): string | undefined {
  return problemsOf(text, options)[0]?.message;
}
