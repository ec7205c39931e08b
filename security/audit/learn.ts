/**
 * Policies learned of what guests did.
 *
 * @module
 */

import { quote } from "../../_text.ts";
import { SandboxError } from "../../errors.ts";
import { CapabilityKinds } from "../kinds.ts";
import type {
  AuditEvent,
  Capability,
  CustomAccessCapability,
  EnvironmentCapability,
  FilesystemCapability,
  HostFunctionsCapability,
  NetworkCapability,
  Operation,
  ProcessCapability,
  StdioCapability,
} from "../types.ts";
import {
  type IsDirectory,
  isRealDirectory,
  learnMounts,
  type Note,
} from "./_learn_mounts.ts";
import { AuditRecorder } from "./recorder.ts";

/** Options of {@linkcode learnPolicy}. */
export interface LearnPolicyOptions {
  /**
   * The kinds that the guests ran under.
   *
   * @default {new CapabilityKinds()}
   */
  kinds?: CapabilityKinds;
  /**
   * Operations that are to be permitted too, whether or not they were seen.
   *
   * @default {[]}
   */
  also?: readonly Operation[];
  /**
   * Whether a mount is granted as a whole or not at all, for programs that take
   * the numbers of descriptors for granted, as those in Zig do.
   *
   * @default {false}
   */
  wholeMounts?: boolean;
  /**
   * Tells whether a path of the host is a directory, and no link to one. Asked
   * now, when the guests have run. The default needs `--allow-read`.
   */
  isDirectory?: (path: string) => boolean;
}

/** What {@linkcode learnPolicy} found. */
export interface LearnedPolicy {
  /** The capabilities that were needed. */
  readonly capabilities: readonly Capability[];
  /** What is granted more widely than needed, and what is not, in sentences. */
  readonly notes: readonly string[];
}

/** What narrowing may use. */
interface Tools {
  readonly permits: (capability: Capability, operation: Operation) => boolean;
  readonly isDirectory: IsDirectory;
  readonly wholeMounts: boolean;
  readonly note: Note;
}

/** Narrows a capability to operations; undefined, if nothing is left of it. */
type Narrow<C extends Capability> = (
  ceiling: C,
  used: readonly Operation[],
  tools: Tools,
) => C | undefined;

/**
 * Finds the least policy, within one that guests ran under, that permits all
 * that they did.
 *
 * - Directories of the host: what was not touched is dropped, what was not
 *   written is read-only, and a mount becomes the deepest directories that
 *   hold what was touched. A directory is the finest grain: of a file that was
 *   read, its directory is granted. Mounts in memory, and those that follow
 *   symbolic links, stay whole.
 * - Variables, arguments, streams, host functions, hosts and custom resources
 *   that were not used are dropped. A guest that reads the list of its
 *   variables, as programs in C, Rust and Go do, is granted all of them.
 * - Clocks and random bytes are kept if they were used, and so are the
 *   capabilities of kinds that this function does not know.
 *
 * Every narrowed capability is asked again about every operation; one that
 * says no is kept as it was. It knows no more than it has seen: on other input
 * a program may need more. A program that names its files by paths through
 * `..`, or takes the number of a descriptor for granted, may not find them once
 * mounts were split: that is what `wholeMounts` is for.
 *
 * @example Usage
 * ```ts
 * import {
 *   AuditRecorder,
 *   Capabilities,
 *   learnPolicy,
 * } from "@wasm-sandbox/core/security";
 * import { assertEquals } from "@std/assert";
 *
 * const recorder = new AuditRecorder();
 * recorder.record({
 *   sequence: 1,
 *   time: new Date().toISOString(),
 *   sandbox: "one",
 *   decision: "allowed",
 *   operation: "stdio.stdout",
 *   capability: "stdio",
 *   resource: "",
 * });
 * const ceiling = [Capabilities.random(), Capabilities.stdio()];
 * const { capabilities } = learnPolicy(recorder, ceiling);
 * assertEquals(capabilities, [
 *   Capabilities.stdio({ stdin: false, stderr: false }),
 * ]);
 * ```
 *
 * @param source What the guests did: all of it, from the first event on.
 * @param ceiling The capabilities that they had.
 * @param options Kinds, and what is to be permitted too.
 * @returns The policy, and what is to be said of it.
 * @throws {SandboxError} With code `invalid-argument`, if events are missing:
 * no policy is better than a wrong one. And as the kinds do, if the ceiling is
 * not well-formed.
 */
export function learnPolicy(
  source: AuditRecorder | Iterable<AuditEvent>,
  ceiling: Iterable<Capability>,
  options: LearnPolicyOptions = {},
): LearnedPolicy {
  const { kinds = new CapabilityKinds(), also = [] } = options;
  const { isDirectory = isRealDirectory, wholeMounts = false } = options;
  const recorder = recorded(source);
  const operations = recorder.operations();
  const allowed = [...operations.filter(({ allowed }) => allowed), ...also];
  const notes: string[] = [];
  const tools: Tools = {
    permits: (capability, operation) =>
      operation.capability === capability.type &&
      kinds.get(capability.type).permits(capability, operation),
    isDirectory,
    wholeMounts,
    note: (sentence) => notes.push(sentence),
  };
  const granted = Array.from(ceiling, (each) => kinds.parse(each));
  const capabilities: Capability[] = [];
  for (const capability of granted) {
    const used = allowed.filter(({ capability: type }) =>
      type === capability.type
    );
    const same = granted.filter(({ type }) => type === capability.type);
    const learned = learnOne(capability, { used, same }, tools);
    if (learned !== undefined) capabilities.push(kinds.parse(learned));
  }
  noteDenied(operations.filter(({ allowed }) => !allowed), notes);
  return { capabilities, notes };
}

function recorded(source: AuditRecorder | Iterable<AuditEvent>): AuditRecorder {
  let recorder: AuditRecorder;
  if (source instanceof AuditRecorder) recorder = source;
  else {
    recorder = new AuditRecorder();
    for (const event of source) recorder.record(event);
  }
  const { problem } = recorder;
  if (problem === undefined) return recorder;
  throw new SandboxError(
    "invalid-argument",
    `Cannot learn a policy: ${problem}`,
    { details: { operation: "learnPolicy", problem } },
  );
}

function learnOne(
  capability: Capability,
  { used, same }: {
    readonly used: readonly Operation[];
    readonly same: readonly Capability[];
  },
  tools: Tools,
): Capability | undefined {
  const { permits, note } = tools;
  const name = quote(capability.type);
  if (!Object.hasOwn(NARROW, capability.type)) {
    note(`${name} is kept as it was: how to narrow it is not known.`);
    return capability;
  }
  if (used.length === 0) return undefined;
  if (used.some((each) => !same.some((granted) => permits(granted, each)))) {
    note(`${name} is kept as it was: what was used of it cannot be told.`);
    return capability;
  }
  const own = used.filter((each) => permits(capability, each));
  if (own.length === 0) return undefined;
  const narrow = NARROW[capability.type as keyof typeof NARROW] as Narrow<
    Capability
  >;
  const learned = narrow(capability, own, tools);
  const isEnough = own.every((each) =>
    learned !== undefined && permits(learned, each)
  );
  if (isEnough) return learned;
  note(`${name} is kept as it was: nothing less permits all that was used.`);
  return capability;
}

const NARROW = Object.freeze({
  filesystem: ((ceiling, used, tools) =>
    learnMounts(ceiling, used, tools)) as Narrow<FilesystemCapability>,

  network: ((ceiling, used, { permits }) => ({
    ...ceiling,
    hosts: ceiling.hosts.filter((host) =>
      used.some((each) =>
        permits({ ...ceiling, hosts: [host] } as Capability, each)
      )
    ),
  })) as Narrow<NetworkCapability>,

  environment: ((ceiling, used, { note }) => {
    const names = new Set(used.map(({ resource }) =>
      resource
    ));
    if (!names.has("")) {
      const variables = Object.entries(ceiling.variables)
        .filter(([name]) => names.has(name));
      const pass = ceiling.pass.filter((name) => names.has(name));
      return { ...ceiling, variables: Object.fromEntries(variables), pass };
    }
    const all = Object.keys(ceiling.variables).length + ceiling.pass.length;
    if (all > 0) {
      note(
        "All variables are kept: the guest read the list of them, and which " +
          "it looked at cannot be told.",
      );
    }
    return ceiling;
  }) as Narrow<EnvironmentCapability>,

  clock: whole,
  random: whole,

  process: ((ceiling, used) => ({
    ...ceiling,
    arguments: ceiling.arguments && has(used, "arguments"),
    exit: ceiling.exit && has(used, "exit"),
  })) as Narrow<ProcessCapability>,

  stdio: ((ceiling, used) => ({
    ...ceiling,
    stdin: ceiling.stdin && has(used, "stdin"),
    stdout: ceiling.stdout && has(used, "stdout"),
    stderr: ceiling.stderr && has(used, "stderr"),
  })) as Narrow<StdioCapability>,

  host_functions: ((ceiling, used) => {
    const names = new Set(used.map(({ resource }) => resource));
    const maxCalls = Object.entries(ceiling.maxCalls)
      .filter(([name]) => names.has(name));
    return {
      ...ceiling,
      functions: ceiling.functions.filter((name) => names.has(name)),
      maxCalls: Object.fromEntries(maxCalls),
    };
  }) as Narrow<HostFunctionsCapability>,

  custom_access: ((ceiling, used, { permits }) => ({
    ...ceiling,
    resources: ceiling.resources.filter((resource) => {
      const one = { ...ceiling, resources: [resource] };
      return used.some((each) => permits(one, each));
    }),
    readOnly: ceiling.readOnly || !has(used, "write"),
  })) as Narrow<CustomAccessCapability>,
});

function whole(
  ceiling: Capability,
  used: readonly Operation[],
): Capability | undefined {
  return used.length > 0 ? ceiling : undefined;
}

function has(used: readonly Operation[], action: string): boolean {
  return used.some((each) => each.action === action);
}

function noteDenied(denied: readonly Operation[], notes: string[]): void {
  const names = denied.map(({ capability, action, resource }) =>
    `${capability}.${action}${resource === "" ? "" : ` of ${resource}`}`
  );
  const [first] = names;
  if (first === undefined) return;
  const rest = new Set(names).size - 1;
  const more = rest === 0 ? "" : ` and ${rest} more`;
  notes.push(`Denied then, and so now: ${quote(first)}${more}.`);
}
