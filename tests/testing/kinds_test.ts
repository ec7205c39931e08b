// deno-lint-ignore-file camelcase -- types of capabilities are in snake case
import { type CapabilityKind, CapabilityKinds } from "../../security/mod.ts";
import {
  type CapabilitySuiteExample,
  testCapabilityKind,
} from "../../testing/mod.ts";

const EXAMPLES: Readonly<Record<string, readonly CapabilitySuiteExample[]>> = {
  filesystem: [
    {
      grant: {
        mounts: [
          { guest: "/data", host: "/srv/data" },
          { guest: "/data/out", host: "/srv/out", access: "read-write" },
        ],
      },
      permits: [
        { action: "read", resource: "/data" },
        { action: "write", resource: "/data/out" },
      ],
      denies: [
        { action: "write", resource: "/data" },
        { action: "read", resource: "/data/../etc" },
        { action: "write", resource: "/database" },
      ],
    },
    {
      grant: { mounts: [{ guest: "/tmp", memory: true, maxBytes: 1_024 }] },
      permits: [{ action: "write", resource: "/tmp" }],
    },
    {
      grant: { mounts: [{ guest: "/tmp", memory: true, access: "read" }] },
      permits: [{ action: "read", resource: "/tmp" }],
    },
  ],
  network: [
    {
      grant: {
        hosts: [
          "api.example.com",
          { host: "*.example.org", ports: [8443], methods: ["GET"] },
        ],
      },
      permits: [
        { action: "connect", resource: "https://api.example.com:443" },
        {
          action: "connect",
          resource: "https://www.example.org:8443",
          via: "GET",
        },
      ],
      denies: [
        { action: "connect", resource: "https://api.example.com:444" },
        { action: "connect", resource: "https://example.org:8443", via: "GET" },
        { action: "socket", resource: "https://api.example.com:443" },
      ],
    },
    {
      grant: { hosts: ["http://127.0.0.1:8080"] },
      permits: [{ action: "connect", resource: "http://127.0.0.1:8080" }],
    },
  ],
  environment: [
    {
      grant: { variables: { LANG: "C" }, pass: ["HOME"] },
      permits: [
        { action: "read" },
        { action: "read", resource: "LANG" },
        { action: "read", resource: "HOME" },
      ],
    },
    {
      grant: { variables: { LANG: "de" } },
      permits: [{ action: "read", resource: "LANG" }],
    },
  ],
  clock: [
    {
      grant: { mode: "real" },
      permits: [
        { action: "sleep", resource: "realtime" },
        { action: "read", resource: "thread_cputime" },
      ],
    },
    {
      grant: {},
      permits: [{ action: "read", resource: "monotonic" }],
      denies: [{ action: "read", resource: "process_cputime" }],
    },
  ],
  random: [
    { grant: {}, permits: [{ action: "read" }] },
    { grant: { seed: 7 }, permits: [{ action: "read" }] },
  ],
  process: [
    {
      grant: { exit: false },
      permits: [{ action: "arguments" }],
      denies: [{ action: "exit" }, { action: "signal" }],
    },
    {
      grant: { arguments: false },
      permits: [{ action: "exit" }],
      denies: [{ action: "arguments" }],
    },
  ],
  stdio: [
    {
      grant: { stdin: false },
      permits: [{ action: "stdout" }, { action: "stderr" }],
      denies: [{ action: "stdin" }],
    },
    {
      grant: { stdout: false, stderr: false },
      permits: [{ action: "stdin" }],
    },
  ],
  host_functions: [
    {
      grant: { functions: ["log", "now"], maxCalls: { log: 2 } },
      permits: [
        { action: "call", resource: "log" },
        { action: "call", resource: "now" },
      ],
    },
    {
      grant: { functions: ["env.add"] },
      permits: [{ action: "call", resource: "env.add" }],
    },
  ],
  custom_access: [
    {
      grant: { resources: ["resource1", "shelf/books"], maxOperations: 3 },
      permits: [
        { action: "read", resource: "resource1" },
        { action: "read", resource: "shelf/books" },
      ],
      denies: [
        { action: "write", resource: "resource1" },
        { action: "read", resource: "resource10" },
      ],
    },
    {
      grant: { resources: ["shelf"], readOnly: false },
      permits: [{ action: "write", resource: "shelf" }],
    },
  ],
};

for (const kind of new CapabilityKinds() as Iterable<CapabilityKind>) {
  testCapabilityKind(kind.type, kind, { examples: EXAMPLES[kind.type] ?? [] });
}
