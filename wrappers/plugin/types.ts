/**
 * What a plugin host is made from, and what it tells.
 *
 * @module
 */

import type { SandboxError } from "../../errors.ts";
import type { OperationOptions } from "../../runtime/types.ts";
import type { InstancePolicy, Isolation } from "../../sandbox_options.ts";
import type { ResourceLimits } from "../../security/limits.ts";
import type { SecurityPolicy } from "../../security/policy.ts";
import type { Capability } from "../../security/types.ts";
import type { GuestOptions } from "../guest_options.ts";

/**
 * Exports that a plugin must have, by name, with their types: `"(i32, i32) ->
 * i32"`; `"message"`, which takes JSON or bytes; or `"any"` function.
 */
export type RequiredExports = Readonly<Record<string, string>>;

/** What plugins get without anybody being asked: the most. */
export interface PluginGrants {
  /**
   * What a plugin may do.
   *
   * @default {SecurityPolicy.strict()}
   */
  readonly policy?: SecurityPolicy | readonly Capability[];
  /**
   * What a plugin may use. What is left out is as in the limits of `defaults`.
   *
   * @default {{}}
   */
  readonly limits?: ResourceLimits;
  /** Where plugins run; as in `defaults`, if left out. */
  readonly isolation?: Isolation;
}

/** Options of the guests of all plugins. */
export interface PluginDefaults
  extends Omit<GuestOptions, "module" | "linked" | "policy"> {}

/** One plugin. What it leaves out is as in `defaults`. */
export interface PluginOptions
  extends Omit<GuestOptions, "linked" | "capabilityKinds"> {
  /** Version; the plugin must say the same, if it says one. */
  readonly version?: string;
  /** SHA-256 of the module, in hexadecimal. Another module is refused. */
  readonly sha256?: string;
  /** Exports that it must have, beside those that every plugin must have. */
  readonly requires?: RequiredExports;
  /** What happens to a guest between two calls; as for all, if left out. */
  readonly instance?: InstancePolicy;
  /** Most guests at a time; as for all, if left out. */
  readonly maxInstances?: number;
}

/** What becomes of a plugin whose guests fail. */
export interface SupervisionOptions {
  /**
   * Time without calls after the second failure in a row, in milliseconds. It
   * doubles with each failure more.
   *
   * @default {100}
   */
  readonly backoffMs?: number;
  /**
   * Longest time without calls, in milliseconds.
   *
   * @default {30_000}
   */
  readonly maxBackoffMs?: number;
  /**
   * Failures in a row after which there are no calls at all.
   *
   * @default {5}
   */
  readonly quarantineAfter?: number;
  /**
   * Time after which a failure is forgotten, in milliseconds; a call that
   * succeeds ends a row as well.
   *
   * @default {60_000}
   */
  readonly healthyAfterMs?: number;
}

/** Options of `PluginHost`. */
export interface PluginHostOptions {
  /**
   * A directory. Each `NAME.wasm` in it is a plugin, and `NAME.yaml` beside it
   * the policy file that says what it asks for.
   */
  readonly directory?: string;
  /**
   * Plugins by name.
   *
   * @default {{}}
   */
  readonly plugins?: Readonly<Record<string, PluginOptions>>;
  /**
   * Options of the guests of all plugins.
   *
   * @default {{}}
   */
  readonly defaults?: PluginDefaults;
  /**
   * What plugins get without anybody being asked.
   *
   * @default {{}}
   */
  readonly grants?: PluginGrants;
  /**
   * Exports that every plugin must have.
   *
   * @default {{}}
   */
  readonly requires?: RequiredExports;
  /**
   * What happens to a guest between two calls.
   *
   * @default {"reuse"}
   */
  readonly instance?: InstancePolicy;
  /**
   * Most guests of one plugin at a time.
   *
   * @default {4}
   */
  readonly maxInstances?: number;
  /**
   * Most plugins.
   *
   * @default {64}
   */
  readonly maxPlugins?: number;
  /**
   * Most calls that run at a time, of all plugins together.
   *
   * @default {64}
   */
  readonly maxConcurrentCalls?: number;
  /**
   * Most calls of one plugin that wait.
   *
   * @default {1_000}
   */
  readonly maxWaitingCalls?: number;
  /**
   * Deadline of each function that is called to check a plugin or to hand over
   * its state, in milliseconds; that of its limits holds as well.
   *
   * @default {5_000}
   */
  readonly checkTimeoutMs?: number;
  /**
   * How long a version that was replaced or unloaded may go on with its calls,
   * in milliseconds. Then they fail.
   *
   * @default {30_000}
   */
  readonly drainTimeoutMs?: number;
  /**
   * How long a file must have been left alone before it is read, in
   * milliseconds.
   *
   * @default {100}
   */
  readonly debounceMs?: number;
  /**
   * How long a file that goes on changing is waited for, in milliseconds.
   *
   * @default {10_000}
   */
  readonly settleTimeoutMs?: number;
  /** What becomes of a plugin whose guests fail. */
  readonly supervision?: SupervisionOptions;
  /**
   * Whether a version that is replaced gives its state to the next: by
   * `save_state` and `restore_state`. Needs `instance` `"reuse"` and
   * `maxInstances` 1.
   *
   * @default {false}
   */
  readonly stateHandOver?: boolean;
  /**
   * Longest state, in bytes; `messageBytes` of both versions holds as well.
   *
   * @default {1_048_576}
   */
  readonly maxStateBytes?: number;
  /** Told of everything that happens to plugins. What it throws is dropped. */
  readonly onEvent?: (event: PluginEvent) => void;
}

/**
 * What a plugin is doing: it takes calls; it has failed and waits a while; it
 * has failed too often; nobody has approved of what it asks for; it could not be
 * loaded; it is being loaded, or unloaded.
 */
export type PluginState =
  | "serving"
  | "backing-off"
  | "quarantined"
  | "awaiting-approval"
  | "failed"
  | "loading"
  | "unloading";

/** A version of a plugin that asks for more than it was granted. */
export interface PluginRequest {
  /**
   * SHA-256 of the request: of the module and of all that is asked for. This is
   * what `approve` takes.
   */
  readonly sha256: string;
  /** SHA-256 of the module. */
  readonly moduleSha256: string;
  /** What it asks to do. */
  readonly capabilities: readonly Capability[];
  /** What it asks to use. */
  readonly limits: ResourceLimits;
  /** Where it asks to run. */
  readonly isolation: Isolation;
  /** What of that is more than was granted, in sentences. */
  readonly exceeds: readonly string[];
}

/** What there is to know of a plugin. */
export interface PluginInfo {
  /** Its name. */
  readonly name: string;
  /** What it is doing. */
  readonly state: PluginState;
  /** Version that takes the calls, if it has a version. */
  readonly version?: string;
  /** SHA-256 of the module that takes the calls. */
  readonly sha256?: string;
  /** What it may do. */
  readonly capabilities: readonly Capability[];
  /** Functions that it exports, with their types: `add: (i32, i32) -> i32`. */
  readonly exports: readonly string[];
  /** Calls that were made, of all versions. */
  readonly calls: number;
  /** Calls in which its guest failed, of all versions. */
  readonly failures: number;
  /** What waits for approval. */
  readonly request?: PluginRequest;
  /** Why the latest version could not be loaded. */
  readonly error?: Error;
  /** In how many milliseconds it takes calls again, if it backs off. */
  readonly retryAfterMs?: number;
}

/** Which module took the calls. */
export interface PluginVersion {
  /** Its version, if it has one. */
  readonly version?: string;
  /** SHA-256 of the module. */
  readonly sha256: string;
}

/** What each type of {@linkcode PluginEvent} carries. */
export interface PluginEventDetails {
  /** A plugin takes calls. */
  "loaded": PluginVersion;
  /** Another version takes the calls. */
  "reloaded": PluginVersion & {
    /** The version before. */
    readonly previous: PluginVersion;
  };
  /** A version was refused; what served before goes on. */
  "rejected": {
    /** Why. */
    readonly error: Error;
    /** Whether an older version goes on. */
    readonly isServing: boolean;
  };
  /** A version asks for more than was granted. */
  "approval-needed": {
    /** What it asks for. */
    readonly request: PluginRequest;
  };
  /** A guest of a plugin has failed. */
  "failed": {
    /** How. */
    readonly error: SandboxError;
    /** Failures in a row. */
    readonly failures: number;
    /** For how many milliseconds there are no calls. */
    readonly retryAfterMs: number;
  };
  /** It has failed too often: no calls until it is reloaded or released. */
  "quarantined": {
    /** Failures in a row. */
    readonly failures: number;
  };
  /** It was let out of quarantine. */
  "released": Readonly<Record<never, never>>;
  /** Calls of the older version had not ended in time, and were cut off. */
  "cut-off": {
    /** How many. */
    readonly calls: number;
  };
  /** The file of a plugin that goes on is gone. */
  "source-missing": Readonly<Record<never, never>>;
  /** A file in the directory is no plugin; `plugin` is its name there. */
  "ignored": {
    /** Why. */
    readonly reason: string;
  };
  /** A plugin is gone. */
  "unloaded": Readonly<Record<never, never>>;
  /** Watching has ended by itself; `plugin` is empty. */
  "watch-failed": {
    /** Why. */
    readonly error: Error;
  };
  /** Events were dropped because nobody took them; `plugin` is empty. */
  "dropped": {
    /** How many. */
    readonly count: number;
  };
}

/** Something that happened to a plugin. Discriminate on `type`. */
export type PluginEvent = {
  [T in keyof PluginEventDetails]: PluginEventDetails[T] & {
    /** What happened. */
    readonly type: T;
    /** Name of the plugin. Control characters are escaped. */
    readonly plugin: string;
    /** When, in ISO 8601, UTC. */
    readonly time: string;
  };
}[keyof PluginEventDetails];

/** Options of `reload`. */
export interface ReloadOptions extends OperationOptions {
  /**
   * Begins without the state of the version before, even if `stateHandOver` is
   * on: for a version that cannot save it any more.
   *
   * @default {false}
   */
  dropState?: boolean;
}
