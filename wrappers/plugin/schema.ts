/** The options of a plugin host: their schema, and what they are if left out. */

import { CapabilityKinds } from "../../security/kinds.ts";
import { isPlainObject } from "../../security/_parse.ts";
import type { JsonSchema } from "../../security/json_schema.ts";
import { GUEST_PROPERTIES } from "../guest_options.ts";
import { type Ask, ceilingOf } from "./ask.ts";
import { checkPluginName } from "./names.ts";
import { checkRequired } from "./required.ts";
import type {
  PluginDefaults,
  PluginHostOptions,
  PluginOptions,
  RequiredExports,
  SupervisionOptions,
} from "./types.ts";

/** What a plugin host is if nothing is said. */
export const DEFAULTS = Object.freeze({
  instance: "reuse" as const,
  maxInstances: 4,
  maxPlugins: 64,
  maxConcurrentCalls: 64,
  maxWaitingCalls: 1_000,
  checkTimeoutMs: 5_000,
  drainTimeoutMs: 30_000,
  debounceMs: 100,
  settleTimeoutMs: 10_000,
  stateHandOver: false,
  maxStateBytes: 1_048_576,
});

/** What supervision is if nothing is said. */
export const SUPERVISION: Required<SupervisionOptions> = Object.freeze({
  backoffMs: 100,
  maxBackoffMs: 30_000,
  quarantineAfter: 5,
  healthyAfterMs: 60_000,
});

const LONGEST_MS = 2 ** 31 - 1;

const {
  module: MODULE,
  linked: _linked,
  policy: POLICY,
  capabilityKinds: KINDS,
  ...GUEST
} = GUEST_PROPERTIES;

const REQUIRES: JsonSchema = {
  description: "Exports that must be there, by name, with their types: " +
    '"(i32, i32) -> i32", "message" or "any".',
  type: "object",
  additionalProperties: { type: "string", minLength: 1 },
  default: {},
};

const INSTANCE: JsonSchema = {
  description: "What happens to a guest between two calls.",
  enum: ["reuse", "fresh"],
};

/** Schema of the options. */
export const PLUGIN_SCHEMA: JsonSchema = Object.freeze<JsonSchema>({
  type: "object",
  properties: {
    directory: {
      description: "A directory; each NAME.wasm in it is a plugin, and " +
        "NAME.yaml the policy file that says what it asks for.",
      type: "string",
      format: "path",
      minLength: 1,
    },
    plugins: {
      description: "Plugins by name.",
      type: "object",
      additionalProperties: pluginSchema(),
      default: {},
    },
    defaults: {
      description: "Options of the guests of all plugins.",
      type: "object",
      properties: { ...GUEST, capabilityKinds: KINDS },
      additionalProperties: false,
      default: {},
    },
    grants: {
      description: "What plugins get without anybody being asked.",
      type: "object",
      properties: {
        policy: { ...POLICY, description: "What a plugin may do." },
        limits: { ...GUEST.limits, description: "What a plugin may use." },
        isolation: {
          description: "Where plugins run.",
          enum: ["auto", "inline", "process"],
        },
      },
      additionalProperties: false,
      default: {},
    },
    requires: REQUIRES,
    instance: { ...INSTANCE, default: DEFAULTS.instance },
    maxInstances: count("Most guests of one plugin.", DEFAULTS.maxInstances),
    maxPlugins: count("Most plugins.", DEFAULTS.maxPlugins),
    maxConcurrentCalls: count(
      "Most calls that run at a time, of all plugins.",
      DEFAULTS.maxConcurrentCalls,
    ),
    maxWaitingCalls: count(
      "Most calls of one plugin that wait.",
      DEFAULTS.maxWaitingCalls,
      0,
    ),
    checkTimeoutMs: milliseconds(
      "Deadline of each function that checks a plugin or hands over its state.",
      DEFAULTS.checkTimeoutMs,
    ),
    drainTimeoutMs: milliseconds(
      "How long a version that was replaced may go on with its calls.",
      DEFAULTS.drainTimeoutMs,
      0,
    ),
    debounceMs: milliseconds(
      "How long a file must have been left alone before it is read.",
      DEFAULTS.debounceMs,
    ),
    settleTimeoutMs: milliseconds(
      "How long a file that goes on changing is waited for.",
      DEFAULTS.settleTimeoutMs,
    ),
    supervision: {
      description: "What becomes of a plugin whose guests fail.",
      type: "object",
      properties: {
        backoffMs: milliseconds(
          "Time without calls after the second failure in a row.",
          SUPERVISION.backoffMs,
        ),
        maxBackoffMs: milliseconds(
          "Longest time without calls.",
          SUPERVISION.maxBackoffMs,
        ),
        quarantineAfter: count(
          "Failures in a row after which there are no calls at all.",
          SUPERVISION.quarantineAfter,
        ),
        healthyAfterMs: milliseconds(
          "Time after which a failure is forgotten.",
          SUPERVISION.healthyAfterMs,
        ),
      },
      additionalProperties: false,
      default: {},
    },
    stateHandOver: {
      description: "Whether a version gives its state to the next one.",
      type: "boolean",
      default: DEFAULTS.stateHandOver,
    },
    maxStateBytes: {
      description: "Longest state that is handed over.",
      type: "integer",
      minimum: 0,
      format: "bytes",
      default: DEFAULTS.maxStateBytes,
    },
    onEvent: {
      description: "Told of everything that happens to plugins.",
      format: "code",
    },
  },
  additionalProperties: false,
});

/** Schema of one plugin's options. */
export function pluginSchema(): JsonSchema {
  return {
    type: "object",
    properties: {
      module: MODULE,
      policy: POLICY,
      ...GUEST,
      version: {
        description: "Version; the plugin must say the same, if it says one.",
        type: "string",
        minLength: 1,
      },
      sha256: {
        description: "SHA-256 of the module, in hexadecimal.",
        type: "string",
        pattern: "^[0-9a-fA-F]{64}$",
      },
      requires: REQUIRES,
      instance: INSTANCE,
      maxInstances: {
        description: "Most guests at a time.",
        type: "integer",
        minimum: 1,
      },
    },
    required: ["module"],
    additionalProperties: false,
  };
}

/** The options, checked, with everything filled in. */
export interface Settings extends
  Required<
    Omit<
      PluginHostOptions,
      "directory" | "onEvent" | "grants" | "supervision"
    >
  > {
  readonly directory: string | undefined;
  readonly onEvent: PluginHostOptions["onEvent"];
  readonly supervision: Required<SupervisionOptions>;
  readonly kinds: CapabilityKinds;
  readonly ceiling: Ask;
}

/** The options, read once, each part of them as well. */
export function copyOptions(options: PluginHostOptions): PluginHostOptions {
  // of any class, as long as it is no list
  const isTable = typeof options === "object" && options !== null &&
    !Array.isArray(options);
  if (!isTable) return options;
  const copy = copyOf({ ...options }, (part) => copyOf(part));
  const { plugins } = copy;
  return plugins === undefined
    ? copy
    : { ...copy, plugins: copyOf(plugins, (plugin) => copyOf(plugin)) };
}

/** A copy of a plain object; what is none is told of when it is checked. */
function copyOf<T>(value: T, each: <V>(part: V) => V = (part) => part): T {
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [name, each(part)]),
  ) as T;
}

/**
 * Fills in what is left out, and checks what a schema cannot say.
 *
 * @throws {TypeError} If a name, a signature or a combination is wrong.
 */
export function settingsOf(options: PluginHostOptions): Settings {
  const defaults: PluginDefaults = { ...options.defaults };
  const kinds = defaults.capabilityKinds ?? new CapabilityKinds();
  const settings: Settings = {
    ...DEFAULTS,
    ...given(options),
    directory: options.directory,
    onEvent: options.onEvent,
    plugins: { ...options.plugins },
    requires: { ...options.requires },
    defaults,
    kinds,
    supervision: { ...SUPERVISION, ...given(options.supervision ?? {}) },
    ceiling: ceilingOf(options.grants ?? {}, defaults, kinds),
  };
  checkRequired(settings.requires);
  for (const [name, plugin] of Object.entries(settings.plugins)) {
    checkPlugin(name, plugin, settings);
  }
  checkHandOver(settings, settings);
  return settings;
}

/**
 * Checks what the schema of one plugin cannot say.
 *
 * @throws {TypeError} If it is wrong.
 */
export function checkPlugin(
  name: string,
  { requires = {}, instance, maxInstances }: PluginOptions,
  settings: Settings,
): void {
  checkPluginName(name);
  checkRequired(requires as RequiredExports);
  checkHandOver(settings, {
    instance: instance ?? settings.instance,
    maxInstances: maxInstances ?? settings.maxInstances,
  });
}

/** A state is of one guest: of several, or of none, there is none. */
function checkHandOver(
  { stateHandOver }: Settings,
  { instance, maxInstances }: Pick<Settings, "instance" | "maxInstances">,
): void {
  if (!stateHandOver || instance === "reuse" && maxInstances === 1) return;
  throw new TypeError(
    "Cannot create plugin: stateHandOver is about the state of one guest " +
      '(set instance to "reuse" and maxInstances to 1)',
  );
}

function given<T extends object>(options: T): T {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as T;
}

function count(description: string, value: number, minimum = 1): JsonSchema {
  return { description, type: "integer", minimum, default: value };
}

function milliseconds(
  description: string,
  value: number,
  minimum = 1,
): JsonSchema {
  return {
    description,
    type: "integer",
    minimum,
    maximum: LONGEST_MS,
    format: "milliseconds",
    default: value,
  };
}
