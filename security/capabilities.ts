/**
 * Makes capabilities.
 *
 * @module
 */

import { absolutePath, lastName } from "./_host_path.ts";
import { clockKind } from "./clock.ts";
import { customAccessKind } from "./custom_access.ts";
import { environmentKind } from "./environment.ts";
import { filesystemKind } from "./filesystem.ts";
import { hostFunctionsKind } from "./host_functions.ts";
import { networkKind } from "./network.ts";
import { processKind } from "./process.ts";
import { randomKind } from "./random.ts";
import { stdioKind } from "./stdio.ts";
import type {
  Capability,
  ClockCapability,
  CustomAccessCapability,
  EnvironmentCapability,
  FilesystemCapability,
  HostFunctionsCapability,
  HostMount,
  MemoryMount,
  MountAccess,
  NetworkCapability,
  NetworkHost,
  ProcessCapability,
  RandomCapability,
  StdioCapability,
} from "./types.ts";

/**
 * Options of a capability: all its properties, any of which may be left out.
 *
 * @typeParam C The capability.
 */
export type CapabilityOptions<C extends Capability> = Partial<Omit<C, "type">>;

/** Options of {@linkcode Capabilities.filesystem}. */
export interface FilesystemOptions {
  /** What the guest sees. No two have the same guest path. */
  readonly mounts: readonly (HostMount | MemoryMount)[];
}

/** Options of {@linkcode Capabilities.memory}. */
export interface MemoryOptions {
  /**
   * Most bytes of all files together.
   *
   * @default {16_777_216}
   */
  readonly maxBytes?: number;
  /**
   * What the guest may do there.
   *
   * @default {"read-write"}
   */
  readonly access?: MountAccess;
}

/** Options of {@linkcode Capabilities.hostFunctions}. */
export interface HostFunctionsOptions {
  /**
   * Most calls: one number for each function, or by name for some.
   *
   * @default {{}}
   */
  readonly maxCalls?: number | Readonly<Record<string, number>>;
}

/** Options of {@linkcode Capabilities.customAccess}. */
export interface CustomAccessOptions {
  /**
   * Most operations, reads and writes together.
   *
   * @default {100}
   */
  readonly maxOperations?: number;
}

/** A host that may be reached; what is left out has its default. */
export type NetworkHostOptions =
  & Pick<NetworkHost, "host">
  & Partial<NetworkHost>;

/**
 * Constructors of the built-in capabilities. Every one gives frozen plain data
 * and throws a {@linkcode SandboxError} with code `invalid-capability` if what
 * it is given makes no sense.
 *
 * @example Usage
 * ```ts
 * import { Capabilities, SecurityPolicy } from "@wasm-sandbox/core";
 * import { assertEquals } from "@std/assert";
 *
 * const policy = SecurityPolicy.strict()
 *   .allowCapability(Capabilities.program())
 *   .allowCapability(Capabilities.memory("/tmp", { maxBytes: 1_024 }));
 * assertEquals([...policy].map(({ type }) => type), [
 *   "process",
 *   "stdio",
 *   "clock",
 *   "random",
 *   "filesystem",
 * ]);
 * ```
 */
export class Capabilities {
  private constructor() {}

  /**
   * Grants files below mounts.
   *
   * @param options The mounts.
   * @returns The capability.
   */
  static filesystem({ mounts }: FilesystemOptions): FilesystemCapability {
    return filesystemKind.parse({ type: "filesystem", mounts });
  }

  /**
   * Grants reading of a directory of the host.
   *
   * @param host The directory.
   * @param guest Where the guest sees it; `/` and the directory's name, if left
   * out.
   * @returns The capability.
   */
  static readDirectory(host: string, guest?: string): FilesystemCapability {
    const path = guest ?? `/${lastName(absolutePath(String(host)))}`;
    return Capabilities.directory(host, path, "read");
  }

  /**
   * Grants a directory of the host.
   *
   * @param host The directory.
   * @param guest Where the guest sees it.
   * @param access What it may do there.
   * @returns The capability.
   */
  static directory(
    host: string,
    guest: string,
    access: MountAccess,
  ): FilesystemCapability {
    return Capabilities.filesystem({ mounts: [{ guest, host, access }] });
  }

  /**
   * Grants a file tree in memory. Nothing of the operating system is reached.
   *
   * @param guest Where the guest sees it.
   * @param options How much it may hold.
   * @returns The capability.
   */
  static memory(
    guest: string,
    options: MemoryOptions = {},
  ): FilesystemCapability {
    return Capabilities.filesystem({
      mounts: [{ ...options, guest, memory: true }],
    });
  }

  /**
   * Grants connections to hosts.
   *
   * @param hosts Hosts as objects, or as text: `"api.example.com"` (HTTPS on its
   * own port), `"*.example.com"`, `"https://api.example.com:8443"`, or
   * `"127.0.0.1:8080"` (that port, HTTP and HTTPS).
   * @returns The capability.
   */
  static networkAccess(
    hosts: readonly (string | NetworkHostOptions)[],
  ): NetworkCapability {
    return networkKind.parse({ type: "network", hosts });
  }

  /**
   * Grants environment variables.
   *
   * @param options Variables with values, and names that are passed on.
   * @returns The capability.
   */
  static environment(
    options: CapabilityOptions<EnvironmentCapability> = {},
  ): EnvironmentCapability {
    return environmentKind.parse({ ...options, type: "environment" });
  }

  /**
   * Grants clocks.
   *
   * @param options The mode, `"coarse"` if left out, and its settings.
   * @returns The capability.
   */
  static clock(
    options: CapabilityOptions<ClockCapability> = {},
  ): ClockCapability {
    return clockKind.parse({ ...options, type: "clock" });
  }

  /**
   * Grants random bytes.
   *
   * @param options A seed, for the same bytes each time.
   * @returns The capability.
   */
  static random(
    options: CapabilityOptions<RandomCapability> = {},
  ): RandomCapability {
    return randomKind.parse({ ...options, type: "random" });
  }

  /**
   * Grants arguments and exit codes.
   *
   * @param options Which of them; both, if left out.
   * @returns The capability.
   */
  static process(
    options: CapabilityOptions<ProcessCapability> = {},
  ): ProcessCapability {
    return processKind.parse({ ...options, type: "process" });
  }

  /**
   * Grants the standard streams.
   *
   * @param options Which of them; all, if left out.
   * @returns The capability.
   */
  static stdio(
    options: CapabilityOptions<StdioCapability> = {},
  ): StdioCapability {
    return stdioKind.parse({ ...options, type: "stdio" });
  }

  /**
   * Grants functions of the host.
   *
   * @param functions Exact names.
   * @param options How often each may be called.
   * @returns The capability.
   */
  static hostFunctions(
    functions: readonly string[],
    options: HostFunctionsOptions = {},
  ): HostFunctionsCapability {
    const { maxCalls = {} } = options;
    const limits = typeof maxCalls === "number"
      ? Object.fromEntries(functions.map((name) => [name, maxCalls]))
      : maxCalls;
    return hostFunctionsKind.parse({
      type: "host_functions",
      functions,
      maxCalls: limits,
    });
  }

  /**
   * Grants named resources of the host's own.
   *
   * @param resources Exact names, or paths whose whole segments are compared.
   * @param readOnly Whether only reading is granted.
   * @param options How many operations.
   * @returns The capability.
   */
  static customAccess(
    resources: readonly string[],
    readOnly: boolean,
    options: CustomAccessOptions = {},
  ): CustomAccessCapability {
    return customAccessKind.parse({
      ...options,
      type: "custom_access",
      resources,
      readOnly,
    });
  }

  /**
   * Grants what an ordinary program needs and what reaches nothing: arguments
   * and exit code, the standard streams, a coarse clock, random bytes.
   *
   * @returns The capabilities.
   */
  static program(): readonly Capability[] {
    return Object.freeze([
      Capabilities.process(),
      Capabilities.stdio(),
      Capabilities.clock(),
      Capabilities.random(),
    ]);
  }
}
