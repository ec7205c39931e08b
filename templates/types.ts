/**
 * The template extension point.
 *
 * @module
 */

import type { JsonSchema } from "../security/json_schema.ts";

/** What is inserted into a template: plain data, as JSON can hold it. */
export type TemplateConfig = Readonly<Record<string, unknown>>;

/**
 * Files by their path from the project's folder, with `/` between, in the order
 * in which they are written.
 */
export type RenderedFiles = ReadonlyMap<string, string>;

/** Makes the files of a project out of a config. */
export interface TemplateRenderer {
  /** The name that it is registered under, in snake case: `"http_server"`. */
  readonly name: string;
  /** What it makes, in a sentence. */
  readonly description: string;
  /** What its config may be. */
  readonly schema: JsonSchema;
  /**
   * Renders the template.
   *
   * @param config The values to insert.
   * @returns The files.
   * @throws {TypeError} If the config is wrong; says all that is.
   * @throws {SandboxError} With code `template-failed` if what comes out is not
   * what the template is.
   */
  render(config: TemplateConfig): Promise<RenderedFiles>;
  /**
   * What to do with the files, a command or a sentence each.
   *
   * @param config The same values.
   * @returns The steps.
   */
  next?(config: TemplateConfig): readonly string[];
}
