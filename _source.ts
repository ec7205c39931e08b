/** Decides where a sandbox's guest runs, and opens the place. */

import { functionNames } from "./communication/extism/functions.ts";
import type { ExtismOptions } from "./communication/extism/types.ts";
import type { ServiceProvider } from "./communication/types.ts";
import { checkMounts } from "./_mounts.ts";
import { inlineFeatures, InlineSource } from "./runtime/inline_source.ts";
import type { GuestSource } from "./runtime/guest_source.ts";
import type { ExtismParts } from "./runtime/guest_host.ts";
import { RuntimeFactory } from "./runtime/mod.ts";
import {
  AUTO,
  isPassedOver,
  noRuntime,
  type PassedOver,
  requireNeeds,
  unsupported,
} from "./runtime/needs.ts";
import type {
  HostImports,
  ModuleSource,
  OperationOptions,
  Runtime,
} from "./runtime/types.ts";
import { readSource } from "./runtime/v8/source.ts";
import { quote } from "./_text.ts";
import { OWN_LIMITS, requireSupport } from "./_check_options.ts";
import type { SandboxOptions } from "./sandbox_options.ts";
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
  /** Lets go of what is opened here. */
  readonly resources: AsyncDisposableStack;
}

/** Where a guest runs, and why it was chosen. */
export interface OpenSource {
  readonly source: GuestSource;
  /** Why runtimes were passed over, if one was chosen. */
  readonly passedOver?: readonly PassedOver[];
}

/** Opens the place that a sandbox's guest runs in. */
export async function openSource(
  options: SandboxOptions,
  parts: SourceParts,
  operation: OperationOptions,
): Promise<OpenSource> {
  if (options.isolation === "inline" && options.pool !== undefined) {
    throw new TypeError(
      'Cannot use a pool with isolation "inline": it holds processes (leave ' +
        "one of them out)",
    );
  }
  await checkMounts(parts.policy);
  const { runtime = "v8", runtimes = new RuntimeFactory() } = options;
  if (runtime === AUTO) {
    return await openFirst(runtimes, options, parts, operation);
  }
  const opened = typeof runtime === "string"
    ? parts.resources.use(await runtimes.create(runtime))
    : runtime;
  return { source: await openOn(opened, options, parts, operation) };
}

/** Opens it on the first runtime that can. */
async function openFirst(
  runtimes: RuntimeFactory,
  options: SandboxOptions,
  { resources, ...parts }: SourceParts,
  operation: OperationOptions,
): Promise<OpenSource> {
  const passedOver: PassedOver[] = [];
  const read = await withBytes(options, parts, operation);
  for (const name of runtimes) {
    await using own = new AsyncDisposableStack();
    try {
      const runtime = own.use(await runtimes.create(name));
      const opening = { ...parts, resources: own };
      const source = await openOn(runtime, read, opening, operation);
      resources.use(own.move());
      return { source, passedOver };
    } catch (error) {
      if (!isPassedOver(error)) throw error;
      passedOver.push({ runtime: name, reason: error.message });
    }
  }
  throw noRuntime(options.need ?? [], passedOver);
}

/** With modules that can be read more than once, as a response cannot. */
async function withBytes(
  { module, linked = {}, ...options }: SandboxOptions,
  { limits: { moduleBytes: maxBytes } }: Pick<SourceParts, "limits">,
  { signal }: OperationOptions,
): Promise<ReadOptions> {
  const read = (source: ModuleSource) =>
    readSource(source, { maxBytes, signal });
  const others: Record<string, Uint8Array<ArrayBuffer>> = Object.create(null);
  for (const [name, each] of Object.entries(linked)) {
    others[name] = await read(each);
  }
  return { ...options, module: await read(module), linked: others };
}

/** Options whose modules have been read. */
interface ReadOptions extends SandboxOptions {
  readonly module: Uint8Array<ArrayBuffer>;
  readonly linked: Readonly<Record<string, Uint8Array<ArrayBuffer>>>;
}

async function openOn(
  runtime: Runtime,
  options: SandboxOptions,
  parts: SourceParts,
  operation: OperationOptions,
): Promise<GuestSource> {
  const source = isolationOf(runtime, options, parts) === "inline"
    ? await openInline(runtime, options, parts, operation)
    : await openProcess(runtime, options, parts, operation);
  const { need = [] } = options;
  const asked = need.filter((name) => !Object.hasOwn(OWN_LIMITS, name));
  requireNeeds(source, asked);
  return source;
}

/** Where a guest runs: a grant that reaches the system calls for a process. */
function isolationOf(
  { name, features: { isolations } }: Runtime,
  { isolation: asked = "auto" }: SandboxOptions,
  { policy, kinds }: SourceParts,
): "inline" | "process" {
  const { read, write, net } = policy.denoPermissions(kinds);
  const reaches = read.length + write.length + net.length > 0;
  const wanted = asked !== "auto"
    ? asked
    : reaches || !isolations.includes("inline")
    ? "process"
    : "inline";
  if (isolations.includes(wanted)) return wanted;
  throw unsupported(
    { runtimeName: name, isolation: wanted },
    `isolation ${quote(wanted)}`,
    `use isolation ${isolations.map(quote).join(" or ")}, or another runtime`,
  );
}

async function openInline(
  runtime: Runtime,
  options: SandboxOptions,
  { limits, policy, auditor, imports, services, resources }: SourceParts,
  operation: OperationOptions,
): Promise<GuestSource> {
  const { features = {}, module, linked, extism } = options;
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
  runtime: Runtime,
  options: SandboxOptions,
  { limits, policy, kinds, auditor, imports, services, resources }: SourceParts,
  operation: OperationOptions,
): Promise<GuestSource> {
  const { features = {}, extism, pool } = options;
  const { module, linked } = await withBytes(options, { limits }, operation);
  const source = await runtime.openProcess?.({
    module,
    linked,
    services,
    extism: extism && pluginParts(extism),
    limits,
    features,
    imports,
    capabilities: policy.capabilities,
    kinds,
    onEvent: (event) => auditor.relay(event),
    ...(pool === undefined ? {} : { pool }),
  }, operation);
  if (source === undefined) {
    throw new TypeError(
      `Cannot run in a process: the runtime ${quote(runtime.name)} says that ` +
        "it can, and has no openProcess",
    );
  }
  resources.use(source);
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
