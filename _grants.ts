/** What a sandbox grants: its policy, who decides by it, and what is recorded. */

import { type AskFor, HostCounters } from "./_counters.ts";
import type { SourceParts } from "./_source.ts";
import { printable, quote } from "./_text.ts";
import { SandboxError } from "./errors.ts";
import type { CommandRun } from "./runtime/guest_source.ts";
import type {
  ExecuteOptions,
  LimitUsage,
  SandboxOptions,
} from "./sandbox_options.ts";
import { AuditLog } from "./security/audit/log.ts";
import { SecurityAuditor } from "./security/auditor.ts";
import { CapabilityKinds } from "./security/kinds.ts";
import { SecurityPolicy } from "./security/policy.ts";
import type { EnvironmentCapability, Mount } from "./security/types.ts";

const ENCODER = new TextEncoder();
/** Never handed out, so nobody can register anything with it. */
const BUILT_IN = new CapabilityKinds();

/** The policy of one sandbox, in force. */
export class Grants {
  /** Name of the sandbox in events. */
  readonly id: string = crypto.randomUUID();
  readonly policy: SecurityPolicy;
  readonly kinds: CapabilityKinds;
  readonly auditor: SecurityAuditor;
  /** Counts for host functions. */
  readonly counters: HostCounters;
  /**
   * Throws unless a function of the host, `module.name`, may be called; missing
   * if the policy does not say which may.
   */
  readonly askFor: AskFor | undefined;
  /** What was decided. */
  readonly audit: AuditLog = new AuditLog();

  constructor({ policy, capabilityKinds, audit, imports }: SandboxOptions) {
    this.kinds = capabilityKinds ?? BUILT_IN;
    const given = policy instanceof SecurityPolicy
      ? policy
      : SecurityPolicy.from(policy ?? [], this.kinds);
    const sink = typeof audit === "function" ? { record: audit } : audit;
    this.auditor = new SecurityAuditor(given, {
      kinds: this.kinds,
      sinks: sink === undefined ? [this.audit] : [this.audit, sink],
      sandbox: this.id,
    });
    // as its kinds have understood it
    this.policy = this.auditor.policy;
    // a policy that names functions of the host means these, and no others
    this.askFor = this.policy.find("host_functions") === undefined
      ? undefined
      : (name: string) =>
        this.auditor.audit({
          capability: "host_functions",
          action: "call",
          resource: name,
        });
    this.counters = new HostCounters(imports ?? {}, this.askFor);
  }

  /** What the place that the guest runs in needs of it. */
  get parts(): Pick<
    SourceParts,
    "policy" | "kinds" | "auditor" | "imports"
  > {
    const { policy, kinds, auditor, counters: { imports } } = this;
    return { policy, kinds, auditor, imports };
  }

  /** Decides for a host function that asks. */
  auditOperation(operation: string, args: readonly unknown[]): void {
    try {
      this.auditor.auditOperation(operation, args);
    } catch (error) {
      if (SandboxError.is(error)) this.counters.refuse(error);
      throw error;
    }
  }

  /** What was used of counters, of capabilities and of host functions. */
  usage(): Record<string, Required<LimitUsage>> {
    return { ...this.auditor.counters(), ...this.counters.usage() };
  }

  /** What the grants do not protect against. */
  notProtected(): readonly string[] {
    return this.policy.capabilities.flatMap(({ type }) =>
      this.kinds.get(type).notProtected
    );
  }

  /** What a run of a program is given, checked against the policy. */
  run(args: readonly string[], options: ExecuteOptions): CommandRun {
    const { stdin = "", files = {}, stdout, stderr, name = "guest" } = options;
    const all = [name, ...args];
    for (const arg of all) checkText("argument", arg);
    if (args.length > 0) this.#require("process", "arguments");
    return {
      args: all,
      env: this.#environment(options),
      files: this.#files(files),
      stdin: stdin instanceof ReadableStream ? stdin : bytesOf(stdin),
      ...(stdout === undefined ? {} : { stdout }),
      ...(stderr === undefined ? {} : { stderr }),
    };
  }

  /** Values for the names that are passed on: as given, or the host's own. */
  #environment(
    { env: given = {}, inheritEnv = true }: ExecuteOptions,
  ): Record<string, string> {
    const passed = this.policy.capabilities
      .filter(({ type }) => type === "environment")
      .flatMap((capability) => (capability as EnvironmentCapability).pass);
    for (const [name, value] of Object.entries(given)) {
      checkText("variable", value);
      if (passed.includes(name)) continue;
      throw notGranted("environment", "read", name, `pass on ${quote(name)}`);
    }
    const values: Record<string, string> = {};
    for (const name of passed) {
      const value = Object.hasOwn(given, name)
        ? given[name]
        : inheritEnv
        ? ownValue(name)
        : undefined;
      if (value !== undefined) values[name] = value;
    }
    return values;
  }

  /** Files as bytes, each of which has a memory mount to go to. */
  #files(files: NonNullable<ExecuteOptions["files"]>): CommandRun["files"] {
    const mounts = this.policy.find("filesystem")?.mounts ?? [];
    const all = Object.entries(files).map(([path, data]) => {
      const mount = mountOf(mounts, path);
      if (mount !== undefined && "memory" in mount) {
        return [path, bytesOf(data)] as const;
      }
      throw new TypeError(
        `Cannot put in the file ${quote(path)}: it lies in no memory mount ` +
          "(grant filesystem with a memory mount above it)",
      );
    });
    return Object.fromEntries(all);
  }

  #require(type: "process", action: "arguments"): void {
    const granted = this.policy.capabilities.some((capability) =>
      capability.type === type &&
      this.kinds.get(type).permits(capability, {
        capability: type,
        action,
        resource: "",
      })
    );
    if (!granted) throw notGranted(type, action, "", "grant process arguments");
  }
}

function checkText(what: string, text: unknown): void {
  if (typeof text !== "string") {
    throw new TypeError(`Cannot run the program: an ${what} is no string`);
  }
  if (!text.includes("\0") && text.isWellFormed()) return;
  throw new TypeError(
    `Cannot run the program: the ${what} ${
      quote(text)
    } holds a NUL or a lone ` +
      "surrogate",
  );
}

/** The innermost mount that a guest's path lies in. */
function mountOf(mounts: readonly Mount[], path: string): Mount | undefined {
  return mounts.filter(({ guest }) =>
    path.startsWith(guest === "/" ? guest : `${guest}/`)
  ).sort((a, b) => b.guest.length - a.guest.length)[0];
}

/** The host's own value of a variable. */
function ownValue(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch (cause) {
    throw new TypeError(
      `Cannot pass on the variable ${quote(name)}: this program may not read ` +
        `it (pass --allow-env=${printable(name)}, or give execute its value)`,
      { cause },
    );
  }
}

function bytesOf(data: string | Uint8Array): Uint8Array {
  if (typeof data === "string") return ENCODER.encode(data);
  if (data instanceof Uint8Array) return data;
  throw new TypeError(
    "Cannot run the program: files and stdin must be text or Uint8Array",
  );
}

function notGranted(
  capability: string,
  action: string,
  resource: string,
  suggestion: string,
): SandboxError<"capability-not-granted"> {
  const operation = `${capability}.${action}`;
  return new SandboxError(
    "capability-not-granted",
    `Cannot run the program with ${
      resource === "" ? "arguments" : `the variable ${quote(resource)}`
    }: the policy does not grant ${operation} (${suggestion})`,
    { details: { capability, operation, resource } },
  );
}
