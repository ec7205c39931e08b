/** Decides where a sandbox's guest runs, and opens the place. */

import { functionNames } from "./communication/extism/functions.ts";
import type { ExtismOptions } from "./communication/extism/types.ts";
import type { ServiceProvider } from "./communication/types.ts";
import { checkMounts } from "./_mounts.ts";
import { inlineFeatures, InlineSource } from "./runtime/inline_source.ts";
import type { GuestSource } from "./runtime/guest_source.ts";
import type { ExtismParts } from "./runtime/guest_host.ts";
import { RuntimeFactory } from "./runtime/mod.ts";
import type {
  HostImports,
  ModuleSource,
  OperationOptions,
} from "./runtime/types.ts";
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
  /** What the guest may ask of its host. */
  readonly services: ServiceProvider;
  /** Where the guest runs. */
  readonly isolation: "inline" | "process";
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
  return parts.isolation === "inline"
    ? await openInline(options, parts, operation)
    : await openProcess(options, parts, operation);
}

/** Where a guest runs: a grant that reaches the system calls for a process. */
export function chooseIsolation(
  asked: Isolation | undefined,
  { policy, kinds }: Pick<SourceParts, "policy" | "kinds">,
): "inline" | "process" {
  if (asked !== undefined && asked !== "auto") return asked;
  const { read, write, net } = policy.denoPermissions(kinds);
  const reaches = read.length + write.length + net.length > 0;
  return reaches ? "process" : "inline";
}

async function openInline(
  options: SandboxOptions,
  { limits, policy, auditor, imports, services, resources }: SourceParts,
  operation: OperationOptions,
): Promise<GuestSource> {
  const {
    runtime: choice = "v8",
    runtimes = new RuntimeFactory(),
    features = {},
    module,
    linked,
    extism,
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
      linked,
      services,
      extism: extism && pluginParts(extism),
      capabilities,
      auditor,
    }, operation),
  );
}

async function openProcess(
  options: SandboxOptions,
  { limits, policy, kinds, auditor, imports, services, resources }: SourceParts,
  operation: OperationOptions,
): Promise<GuestSource> {
  const { runtime = "v8", features = {}, module, linked = {}, extism, pool } =
    options;
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
  const read = (module: ModuleSource) =>
    readSource(module, { maxBytes, signal });
  const others: Record<string, Uint8Array<ArrayBuffer>> = Object.create(null);
  for (const [name, each] of Object.entries(linked)) {
    others[name] = await read(each);
  }
  const source = resources.use(
    await ProcessSource.create({
      module: await read(module),
      linked: others,
      services,
      extism: extism && pluginParts(extism),
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

/** What of the options the side of a plug-in is told, as plain data. */
function pluginParts(
  { functions, hostContext: _context, onNoOutput: _told, ...settings }:
    ExtismOptions,
): ExtismParts {
  return { settings, functions: functionNames(functions) };
}
