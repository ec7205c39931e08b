/**
 * One run of the command line: its host, its exit code, and the sandboxes that
 * it opens.
 *
 * @module
 */

import { ValidationError } from "@cliffy/command";
import { quote } from "../_text.ts";
import type { ModuleSource } from "../runtime/types.ts";
import { Sandbox } from "../sandbox.ts";
import type { SandboxOptions } from "../sandbox_options.ts";
import { resolveLimits } from "../security/limits.ts";
import type { CliHost } from "./host.ts";
import { type Settings, settingsOf, type SharedFlags } from "./limits.ts";
import { jsonText, type Usage, usageText } from "./output.ts";

/** In the place of a path: the standard input. */
export const STDIN = "-";

/** What a sandbox is granted beside limits and features. */
export type SandboxGrants = Pick<
  SandboxOptions,
  "policy" | "limits" | "isolation" | "runtime" | "audit"
>;

/** One run of the command line. */
export class Session {
  /** The world around. */
  readonly host: CliHost;
  /** What the run ends with, unless something is thrown. */
  exitCode: number = 0;
  /** The help of the command that was named. */
  help: () => string = () => "";
  readonly #startedAt = performance.now();

  /**
   * Constructs it.
   *
   * @param host The world around.
   */
  constructor(host: CliHost) {
    this.host = host;
  }

  /**
   * Creates a sandbox, uses it, and prints what was used if that is wanted,
   * whether or not it went well.
   *
   * @param file Path or URL of the module.
   * @param flags Limits and features.
   * @param use What to do with it.
   * @param granted What the guest may do, if anything. Flags go before limits.
   */
  async withSandbox(
    file: string,
    flags: SharedFlags,
    use: (sandbox: Sandbox) => Promise<void>,
    granted: SandboxGrants = {},
  ): Promise<void> {
    const given = settingsOf(flags);
    const limits = { ...granted.limits, ...given.limits };
    const settings = { ...given, ...granted, limits };
    const module = await this.moduleSource(file, settings);
    await using sandbox = await Sandbox.create({ module, ...settings });
    try {
      await use(sandbox);
    } finally {
      if (flags.verbose) await this.host.stderr(usageText(this.usage(sandbox)));
    }
  }

  /**
   * Where a module comes from.
   *
   * @param file Path or URL, or `-` for the standard input.
   * @param settings The limits; of the standard input no more is read.
   * @returns What a sandbox takes.
   */
  async moduleSource(
    file: string,
    { limits }: Pick<Settings, "limits">,
  ): Promise<ModuleSource> {
    if (file === STDIN) {
      return await this.host.readStdin(resolveLimits(limits).moduleBytes);
    }
    if (!/^(?:https?|file):/i.test(file)) return file;
    if (URL.canParse(file)) return new URL(file);
    throw new ValidationError(`${quote(file)} is no URL`);
  }

  /**
   * What a sandbox has used so far.
   *
   * @param sandbox The sandbox.
   * @returns The figures of this moment.
   */
  usage(sandbox: Sandbox): Usage {
    const elapsed = performance.now() - this.#startedAt;
    return { ...sandbox.usage(), elapsedMs: Math.round(elapsed * 1e3) / 1e3 };
  }

  /**
   * Prints a value as one line of JSON.
   *
   * @param value Plain data.
   */
  async printJson(value: unknown): Promise<void> {
    await this.host.stdout(`${jsonText(value)}\n`);
  }
}
