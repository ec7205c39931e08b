/**
 * The guests that use the libraries of communication/guest, one in each
 * language: they have the same exports, and do the same.
 *
 * @module
 */

import { assert } from "@std/assert";
import {
  Capabilities,
  type Sandbox,
  SandboxError,
  SecurityPolicy,
} from "../../mod.ts";

const GUESTS = new URL("../../examples/guests/", import.meta.url);

/** Languages of the guests. */
export const LANGUAGES = ["assemblyscript", "c", "go", "rust", "zig"] as const;

/** One of the guests. */
export interface Toolbox {
  /** What it is written in. */
  readonly language: typeof LANGUAGES[number];
  /** The module. */
  readonly module: URL | string;
  /** Lets go of a module that was built for the test. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Finds the guest of a language; that in Go is built.
 *
 * @param language The language.
 * @returns The guest; undefined where there is no Go.
 */
export async function openToolbox(
  language: typeof LANGUAGES[number],
): Promise<Toolbox | undefined> {
  if (language === "go") return await buildGo();
  return {
    language,
    module: new URL(`${language}/toolbox.wasm`, GUESTS),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** What a guest's own runtime needs; only that of Go needs anything. */
export function toolboxPolicy(
  { language }: Pick<Toolbox, "language">,
): SecurityPolicy {
  const policy = SecurityPolicy.strict();
  return language === "go"
    ? policy.allowCapability(
      Capabilities.clock(),
      Capabilities.random(),
      Capabilities.process(),
      Capabilities.stdio(),
    )
    : policy;
}

/**
 * What a call was refused with.
 *
 * @param call The call.
 * @returns Its error.
 */
export async function refusalOf(call: Promise<unknown>): Promise<SandboxError> {
  try {
    await call;
  } catch (error) {
    assert(SandboxError.is(error), String(error));
    return error;
  }
  throw new Error("Cannot go on: the call was to fail");
}

/** What a guest said when it failed. */
export async function problemOf(call: Promise<unknown>): Promise<string> {
  const error = await refusalOf(call);
  assert(SandboxError.is(error, "guest-error"), String(error));
  return error.details.problem;
}

/** That a guest still answers. */
export async function assertAlive(sandbox: Sandbox): Promise<void> {
  const { greeting } = await sandbox.call<{ greeting: string }>("greet", "you");
  assert(greeting === "Hello, you!", greeting);
}

async function buildGo(): Promise<Toolbox | undefined> {
  try {
    const { success } = await new Deno.Command("go", { args: ["version"] })
      .output();
    if (!success) return undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const folder = await Deno.makeTempDir({ prefix: "wasm-sandbox-go-" });
  const module = `${folder}/toolbox.wasm`;
  const script = new URL("go/build.sh", GUESTS);
  const { success, stderr } = await new Deno.Command("bash", {
    args: [script.pathname, module],
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return {
    language: "go",
    module,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}
