/** Decides where a sandbox's guest runs, and opens the place. */

import { checkMounts } from "./_mounts.ts";
import { inlineFeatures, InlineSource } from "./runtime/inline_source.ts";
import type { GuestSource } from "./runtime/guest_source.ts";
import { RuntimeFactory } from "./runtime/mod.ts";
import type { HostImports, OperationOptions } from "./runtime/types.ts";
import { readSource } from "./runtime/v8/source.ts";
import { requireSupport, unsupported } from "./_check_options.ts";
import type { Isolation, SandboxOptions } from "./sandbox_options.ts";
import type { SecurityAuditor } from "./security/auditor.ts";
import type { CapabilityKinds } from "./security/kinds.ts";
import type { ResolvedLimits } from "./security/limits.ts";
import type { SecurityPolicy } from "./security/policy.ts";

/** What a source is opened with, beside what the caller gave. */
export interface SourceParts {
  readonly limits: ResolvedLimits;
  readonly policy: SecurityPolicy;
  readonly kinds: CapabilityKinds;
  /** Decides in this thread, and takes what was decided in a process. */
  readonly auditor: SecurityAuditor;
  /** What the guest may import, counted. */
  readonly imports: HostImports;
  /** Lets go of what is opened here. */
  readonly resources: AsyncDisposableStack;
}

/** Opens the place that a sandbox's guest runs in. */
export async function openSource(
  options: SandboxOptions,
  parts: SourceParts,
  operation: OperationOptions,
): Promise<GuestSource> {
  if (options.isolation === "inline" && options.pool !== undefined) {
    throw new TypeError(
      'Cannot use a pool with isolation "inline": it holds processes (leave ' +
        "one of them out)",
    );
  }
  await checkMounts(parts.policy);
  return chooseIsolation(options.isolation, parts) === "inline"
    ? await openInline(options, parts, operation)
    : await openProcess(options, parts, operation);
}

/** A grant that reaches the system calls for a process. */
function chooseIsolation(
  asked: Isolation | undefined,
  { policy, kinds }: SourceParts,
): "inline" | "process" {
  if (asked !== undefined && asked !== "auto") return asked;
  const { read, write, net } = policy.denoPermissions(kinds);
  const reaches = read.length + write.length + net.length > 0;
  return reaches ? "process" : "inline";
}

async function openInline(
  options: SandboxOptions,
  { limits, policy, auditor, imports, resources }: SourceParts,
  operation: OperationOptions,
): Promise<GuestSource> {
  const {
    runtime: choice = "v8",
    runtimes = new RuntimeFactory(),
    features = {},
    module,
  } = options;
  const runtime = typeof choice === "string"
    ? resources.use(await runtimes.create(choice))
    : choice;
  const enforcer = {
    isolation: "inline",
    runtimeName: runtime.name,
    features: inlineFeatures(runtime),
  } as const;
  requireSupport(enforcer, options);
  const { capabilities } = policy;
  return resources.use(
    await InlineSource.create({
      runtime,
      module,
      limits,
      features,
      imports,
      capabilities,
      auditor,
    }, operation),
  );
}

async function openProcess(
  options: SandboxOptions,
  { limits, policy, kinds, auditor, imports, resources }: SourceParts,
  operation: OperationOptions,
): Promise<GuestSource> {
  const { runtime = "v8", features = {}, module, pool } = options;
  if (runtime !== "v8") {
    const runtimeName = typeof runtime === "string" ? runtime : runtime.name;
    throw unsupported(
      { runtimeName, isolation: "process" },
      'isolation "process"',
      'use the built-in runtime "v8", or isolation "inline"',
    );
  }
  // loaded only here: the guest's program is large
  const { ProcessSource } = await import(
    "./runtime/process/process_source.ts"
  );
  const { signal } = operation;
  const { moduleBytes: maxBytes } = limits;
  const source = resources.use(
    await ProcessSource.create({
      module: await readSource(module, { maxBytes, signal }),
      limits,
      features,
      imports,
      capabilities: policy.capabilities,
      kinds,
      onEvent: (event) => auditor.relay(event),
      ...(pool === undefined ? {} : { pool }),
    }, operation),
  );
  requireSupport(source, options);
  return source;
}
