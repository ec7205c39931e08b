/**
 * A plug-in, ready to be called.
 *
 * @module
 */

import { quote } from "../../_text.ts";
import { PluginOutput } from "../../communication/extism/plugin_output.ts";
import { SandboxError } from "../../errors.ts";
import { exportNotFound } from "../../runtime/v8/live.ts";
import type { Sandbox } from "../../sandbox.ts";
import type { PluginScope } from "./scope.ts";
import type { Declarations } from "./settings.ts";
import type { ExtismPlugin, PluginCallOptions } from "./types.ts";

/** What a plug-in is put together from. */
export interface PluginParts {
  readonly sandbox: Sandbox;
  /** What is known of the call that runs. */
  readonly scope: PluginScope;
  /** What its main module declares. */
  readonly declarations: Declarations;
  /** Fuel for each call, if it is counted. */
  readonly fuelLimit: number | undefined;
}

const ENCODER = new TextEncoder();
const NOTHING: Uint8Array = new Uint8Array();
const BYTES = Object.freeze({ abi: "bytes" });

/** A plug-in in its sandbox. */
export class SandboxedPlugin implements ExtismPlugin {
  readonly #parts: PluginParts;
  /** Exports that were called before: they are functions of plug-ins. */
  readonly #functions = new Set<string>();
  #isActive = false;

  /**
   * Constructs it.
   *
   * @param parts What it is put together from.
   */
  constructor(parts: PluginParts) {
    this.#parts = parts;
  }

  get sandbox(): Sandbox {
    return this.#parts.sandbox;
  }

  async call(
    name: string,
    input?: string | number | Uint8Array,
    hostContext?: unknown,
    options?: PluginCallOptions,
  ): Promise<PluginOutput | null> {
    const { sandbox, scope, fuelLimit } = this.#parts;
    if (this.#isActive) throw notReentrant(name);
    if (!this.#functions.has(name)) this.#requireFunction(name);
    const bytes = bytesOf(input);
    this.#isActive = true;
    scope.begin(hostContext);
    try {
      // awaiting what is not needed would take as long again
      if (fuelLimit !== undefined || sandbox.failure !== undefined) {
        await this.#renew();
      }
      const output = await sandbox.call<Uint8Array<ArrayBuffer>>(
        name,
        bytes,
        options === undefined ? BYTES : { ...options, ...BYTES },
      );
      return scope.hasOutput ? new PluginOutput(output) : null;
    } catch (error) {
      throw scope.explain(error);
    } finally {
      scope.end();
      this.#isActive = false;
    }
  }

  functionExists(name: string): Promise<boolean> {
    return Promise.resolve(
      this.#parts.declarations.exports.some((each) =>
        each.name === name && each.kind === "function"
      ),
    );
  }

  getExports(): Promise<WebAssembly.ModuleExportDescriptor[]> {
    return Promise.resolve([...this.#parts.declarations.exports]);
  }

  getImports(): Promise<WebAssembly.ModuleImportDescriptor[]> {
    return Promise.resolve([...this.#parts.declarations.imports]);
  }

  isActive(): boolean {
    return this.#isActive;
  }

  async reset(): Promise<boolean> {
    if (this.#isActive) return false;
    this.#isActive = true;
    try {
      this.#refuel();
      await this.#parts.sandbox.reset();
      return true;
    } finally {
      this.#isActive = false;
    }
  }

  async close(): Promise<void> {
    await this.#parts.sandbox[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** A new instance, if the last call has ended the old one. */
  async #renew(): Promise<void> {
    this.#refuel();
    const { sandbox } = this.#parts;
    if (sandbox.failure !== undefined) await sandbox.reset();
  }

  /** Each call has the same fuel, whatever was left before. */
  #refuel(): void {
    const { sandbox, fuelLimit } = this.#parts;
    if (fuelLimit === undefined) return;
    const { allowed = 0, used = 0 } = sandbox.usage().limits.fuel ?? {};
    const missing = fuelLimit - (allowed - used);
    if (missing > 0) sandbox.addFuel(missing);
  }

  /** The export exists, and is of the one type that a plug-in can have. */
  #requireFunction(name: string): void {
    const { exports } = this.#parts.sandbox;
    const { kind, signature } = exports.find((each) => each.name === name) ??
      {};
    if (kind === "function" && signature !== undefined) {
      const { params, results } = signature;
      const [result = "i32"] = results;
      if (params.length === 0 && results.length < 2 && result === "i32") {
        this.#functions.add(name);
        return;
      }
      throw new SandboxError(
        "export-not-found",
        `Cannot call ${quote(name)}: it takes numbers, or gives others than ` +
          "an i32 (an export of a plug-in is of type () -> i32)",
        { details: { name } },
      );
    }
    const error = exportNotFound(name, exports);
    throw new SandboxError(
      "export-not-found",
      `${error.message}: Plugin error: function ${quote(name)} does not exist`,
      { details: error.details },
    );
  }
}

function notReentrant(name: string): SandboxError<"instance-busy"> {
  return new SandboxError(
    "instance-busy",
    `Cannot call ${
      quote(name)
    }: plugin is not reentrant, and a call of it runs ` +
      "(wait for that, or create another plug-in)",
    { details: { export: name } },
  );
}

function bytesOf(input: string | number | Uint8Array | undefined): Uint8Array {
  if (input === undefined || input === "") return NOTHING;
  if (input instanceof Uint8Array) return input;
  if (typeof input === "string" || typeof input === "number") {
    return ENCODER.encode(String(input));
  }
  throw new TypeError(
    "Cannot call the plug-in: the input must be text, a number or a Uint8Array",
  );
}
