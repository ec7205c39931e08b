/**
 * What belongs to being a program: arguments, variables, its end.
 *
 * @module
 */

import { quote } from "../../_text.ts";
import { SandboxError } from "../../errors.ts";
import type {
  Capability,
  EnvironmentCapability,
} from "../../security/types.ts";
import type { WasiFunctions } from "./abi.ts";
import type { WasiContext } from "./context.ts";
import { WasiError } from "./errno.ts";
import type { WasiRun } from "./types.ts";

/** Strings in UTF-8, each with a NUL at its end. */
export type ByteStrings = readonly Uint8Array[];

/** Arguments and variables of one run. */
export class ProgramLists {
  readonly #capabilities: readonly EnvironmentCapability[];
  /** The arguments. */
  args: ByteStrings = [];
  /** The variables, as `name=value`. */
  env: ByteStrings;

  /**
   * Constructs them as they are without a run: no arguments, the policy's own
   * variables.
   *
   * @param capabilities All that is granted.
   */
  constructor(capabilities: readonly Capability[]) {
    this.#capabilities = capabilities.filter((
      capability,
    ): capability is EnvironmentCapability =>
      capability.type === "environment"
    );
    this.env = this.#variables({});
  }

  /**
   * Takes those of a run.
   *
   * @param run The run.
   * @throws {TypeError} If one is no text that a program can be given, or a
   * variable is not granted.
   */
  set({ args, env }: Pick<WasiRun, "args" | "env">): void {
    const given = args.map((arg, index) => encode(arg, `argument ${index}`));
    this.env = this.#variables(env);
    this.args = given;
  }

  #variables(env: WasiRun["env"]): ByteStrings {
    const values = new Map<string, string>();
    const passed = new Set<string>();
    for (const { variables, pass } of this.#capabilities) {
      for (const name of pass) passed.add(name);
      for (const name of Object.keys(variables)) {
        if (!values.has(name)) values.set(name, variables[name] ?? "");
      }
    }
    for (const name of Object.keys(env)) {
      if (!values.has(name) && !passed.has(name)) {
        throw new TypeError(
          `Cannot give the guest the variable ${quote(name)}: no environment ` +
            "capability names it (add it to pass, or to variables)",
        );
      }
      const value: unknown = env[name];
      if (typeof value !== "string") {
        throw new TypeError(
          `Cannot give the guest the variable ${quote(name)}: it is no text`,
        );
      }
      values.set(name, value);
    }
    return Array.from(values, ([name, value]) => {
      if (name === "" || name.includes("=")) {
        throw new TypeError(
          `Cannot give the guest the variable ${quote(name)}: a name is not ` +
            'empty and has no "="',
        );
      }
      return encode(`${name}=${value}`, `variable ${quote(name)}`);
    });
  }
}

function encode(text: string, what: string): Uint8Array {
  if (typeof text !== "string" || text.includes("\0") || !text.isWellFormed()) {
    throw new TypeError(
      `Cannot give the guest ${what}: it must be text without NUL and ` +
        "without lone surrogates",
    );
  }
  return new TextEncoder().encode(`${text}\0`);
}

/** Functions of this file. */
type Names =
  | "args_get"
  | "args_sizes_get"
  | "environ_get"
  | "environ_sizes_get"
  | "proc_exit"
  | "proc_raise"
  | "sched_yield";

/** Arguments, variables, and `proc_exit` and what is left of its kind. */
export function programFunctions(context: WasiContext): WasiFunctions<Names> {
  const { decisions, lists } = context;
  const args = (via: string): ByteStrings =>
    decisions.permitsOnce({
        capability: "process",
        action: "arguments",
        resource: "",
        via,
      })
      ? lists.args
      : [];
  const env = (via: string): ByteStrings =>
    decisions.permitsOnce({
        capability: "environment",
        action: "read",
        resource: "",
        via,
      })
      ? lists.env
      : [];
  return {
    args_get: (pointers, at) =>
      writeStrings(context, args("args_get"), { pointers, at }),
    args_sizes_get: (count, size) =>
      writeSizes(context, () => args("args_sizes_get"), { count, size }),
    environ_get: (pointers, at) =>
      writeStrings(context, env("environ_get"), { pointers, at }),
    environ_sizes_get: (count, size) =>
      writeSizes(context, () => env("environ_sizes_get"), { count, size }),
    proc_exit: (exitCode) => exit(context, exitCode),
    proc_raise(signal) {
      decisions.demand({
        capability: "process",
        action: "signal",
        resource: String(signal),
        via: "proc_raise",
      });
      // no policy grants it; there is nothing that it could do
      throw new WasiError("NOTSUP");
    },
    sched_yield() {},
  };
}

function totalBytes(strings: ByteStrings): number {
  return strings.reduce((sum, { length }) => sum + length, 0);
}

function writeSizes(
  { memory }: WasiContext,
  strings: () => ByteStrings,
  { count, size }: { readonly count: number; readonly size: number },
): void {
  memory.check(count, 4);
  memory.check(size, 4);
  const list = strings();
  memory.setU32(count, list.length);
  memory.setU32(size, totalBytes(list));
}

function writeStrings(
  { memory }: WasiContext,
  strings: ByteStrings,
  { pointers, at }: { readonly pointers: number; readonly at: number },
): void {
  const byteLength = totalBytes(strings);
  memory.check(pointers, strings.length * 4);
  memory.check(at, byteLength);
  memory.charge(byteLength);
  let next = at;
  strings.forEach((string, index) => {
    memory.setU32(pointers + index * 4, next);
    memory.bytes(next, string.length).set(string);
    next += string.length;
  });
}

/**
 * Ends the guest. The code is given as it is, all 32 bits of it: whoever makes
 * it the code of a process knows how many of them that has.
 */
function exit({ decisions, isGranted }: WasiContext, exitCode: number): never {
  const operation = {
    capability: "process",
    action: "exit",
    resource: "",
    via: "proc_exit",
  };
  if (decisions.permits(operation)) {
    throw new SandboxError(
      "guest-exit",
      `The guest ended itself with exit code ${exitCode}`,
      { details: { exitCode } },
    );
  }
  const granted = isGranted("process");
  throw new SandboxError(
    granted ? "access-denied" : "capability-not-granted",
    `Cannot end the guest with exit code ${exitCode}: ` +
      (granted
        ? "its process capability does not permit exit"
        : "no process capability is granted") +
      " (grant process with exit)",
    {
      details: {
        capability: "process",
        operation: "process.exit",
        resource: "",
      },
    },
  );
}
