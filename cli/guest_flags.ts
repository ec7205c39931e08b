/**
 * The flags that grant something to a WASI program, or run it elsewhere.
 *
 * @module
 */

// deno-lint-ignore-file no-explicit-any -- `any` switches cliffy's inference off

import { type Command, ValidationError } from "@cliffy/command";
import { quote } from "../_text.ts";
import type { Isolation } from "../sandbox_options.ts";
import { Capabilities } from "../security/capabilities.ts";
import type { ResourceLimits } from "../security/limits.ts";
import { SecurityPolicy } from "../security/policy.ts";
import type { Capability, HostMount } from "../security/types.ts";
import { type Choice, choiceOf, CHOICES } from "./choices.ts";

/** The values of these flags. */
export interface GuestFlags {
  /** `--policy`. */
  readonly policy?: string;
  /** `--dir`, each time it was given. */
  readonly dir?: readonly HostMount[];
  /** `--env`, each time it was given: a name, and a value if there is one. */
  readonly env?: readonly EnvFlag[];
  /** `--grant`, each time it was given. */
  readonly grant?: readonly Capability[];
  /** `--isolation`. */
  readonly isolation?: Isolation;
  /** `--runtime`. */
  readonly runtime?: string;
}

/** A variable: with a value, or passed on from the environment. */
export interface EnvFlag {
  readonly name: string;
  readonly value?: string;
}

/** These flags, to know them by. */
export const GUEST_FLAGS: readonly string[] = Object.freeze([
  "--policy",
  "--dir",
  "--env",
  "--grant",
  "--isolation",
  "--runtime",
]);

/** What `--grant` takes, and what it grants. */
const GRANTS: Readonly<Record<Choice<"--grant">, () => Capability>> = Object
  .freeze({
    "clock": () => Capabilities.clock({ mode: "real" }),
    "coarse-clock": () => Capabilities.clock({ mode: "coarse" }),
    "random": () => Capabilities.random(),
    "process": () => Capabilities.process(),
    "stdio": () => Capabilities.stdio(),
  });

const grantName = choiceOf("--grant");

/**
 * Adds these flags to a command.
 *
 * @param command The command.
 * @returns The same.
 */
export function withGrants(command: Command<any>): Command<any> {
  return command
    .type("mount", ({ value }) => parseMount(value))
    .type("variable", ({ value }) => parseVariable(value))
    .type("grant", (argument) => GRANTS[grantName(argument)]())
    .type("isolation", choiceOf("--isolation"))
    .option("--policy <file:string>", "Grant what this file and the flags say.")
    .option(
      "--dir <mount:mount>",
      "Grant a directory: GUEST::HOST, or GUEST::HOST:ro. Repeatable.",
      { collect: true },
    )
    .option(
      "--env <variable:variable>",
      "Grant a variable: NAME=VALUE, or NAME to pass it on. Repeatable.",
      { collect: true },
    )
    .option(
      "--grant <name:grant>",
      `Grant ${CHOICES["--grant"].join(", ")}. Repeatable.`,
      { collect: true },
    )
    .option(
      "--isolation <where:isolation>",
      "Where it runs: auto, inline or process (auto).",
    )
    .option(
      "--runtime <name:string>",
      "What runs it: v8, wasmtime, wasmer or auto (v8).",
    );
}

/** What a guest is granted, and under which limits. */
export interface Granted {
  /** What it may do. */
  readonly policy: SecurityPolicy;
  /** Limits that the policy file sets. */
  readonly limits: ResourceLimits;
  /** Where the policy file wants it to run. */
  readonly isolation?: Isolation;
  /** Name of the runtime. */
  readonly runtime?: string;
}

/**
 * What the flags grant. Without a policy file that is what an ordinary program
 * needs: arguments, an exit code, the standard streams, a coarse clock, random
 * bytes, and the variables and directories that are named.
 *
 * @param flags The flags.
 * @returns The grants.
 * @throws {SandboxError} If a policy file or a grant is not well-formed.
 */
export async function grantsOf(flags: GuestFlags): Promise<Granted> {
  const { dir = [], env = [], grant = [] } = flags;
  const base = flags.policy === undefined
    ? programGrants(grant)
    : await readGrants(flags.policy);
  const more = [...grant];
  if (dir.length > 0) more.push(Capabilities.filesystem({ mounts: dir }));
  if (env.length > 0 || flags.policy === undefined) more.push(variables(env));
  const added = SecurityPolicy.from(more);
  const { isolation = base.isolation, runtime } = flags;
  return {
    policy: base.policy.merge(added),
    limits: base.limits,
    ...(isolation === undefined ? {} : { isolation }),
    ...(runtime === undefined ? {} : { runtime }),
  };
}

/** What a program needs, but for kinds that a flag grants otherwise. */
function programGrants(others: readonly Capability[]): Granted {
  const types = others.map(({ type }) => type);
  const usual = Capabilities.program().filter(({ type }) =>
    !types.includes(type)
  );
  return { policy: SecurityPolicy.from(usual), limits: {} };
}

async function readGrants(path: string): Promise<Granted> {
  // reaches a parser of YAML, which most runs do not need
  const { readPolicyFile } = await import("../security/policy_file/mod.ts");
  return await readPolicyFile(path);
}

function variables(flags: readonly EnvFlag[]): Capability {
  const names = flags.map(({ name }) => name);
  const double = names.find((name, index) => names.indexOf(name) !== index);
  if (double !== undefined) {
    throw new ValidationError(
      `Option "--env": ${quote(double)} is there twice (write it once)`,
    );
  }
  const given = flags.filter(({ value }) => value !== undefined);
  return Capabilities.environment({
    variables: Object.fromEntries(
      given.map(({ name, value = "" }) => [name, value]),
    ),
    pass: flags.filter(({ value }) => value === undefined)
      .map(({ name }) => name),
  });
}

function parseMount(text: string): HostMount {
  const split = text.indexOf("::");
  const guest = text.slice(0, split);
  const [, host = "", readOnly] = /^(.*?)(:ro)?$/s.exec(
    text.slice(split + 2),
  ) ?? [];
  if (split < 1 || host === "") {
    throw new ValidationError(
      `Option "--dir": ${quote(text)} is no mount (write GUEST::HOST or ` +
        "GUEST::HOST:ro, such as /data::./data:ro)",
    );
  }
  return { guest, host, access: readOnly ? "read" : "read-write" };
}

function parseVariable(text: string): EnvFlag {
  const [, name = "", value] = /^([^=]*)(?:=(.*))?$/s.exec(text) ?? [];
  if (name === "") {
    throw new ValidationError(
      `Option "--env": ${quote(text)} has no name (write NAME=VALUE or NAME)`,
    );
  }
  return value === undefined ? { name } : { name, value };
}
