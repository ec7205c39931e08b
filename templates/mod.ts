/**
 * Templates: small projects that are written for you.
 *
 * @example Rendering one
 * ```ts
 * import { TemplateFactory } from "@wasm-sandbox/core/templates";
 * import { assert } from "@std/assert";
 *
 * const templates = new TemplateFactory();
 * const files = await templates.render("http_server", { name: "Words" });
 * assert(files.get("main.ts")?.includes('const NAME = "Words";'));
 * ```
 *
 * @module
 */

import { Registry } from "../registry.ts";
import type {
  RenderedFiles,
  TemplateConfig,
  TemplateRenderer,
} from "./types.ts";

export type * from "./types.ts";
export {
  HandlebarsTemplate,
  type HandlebarsTemplateOptions,
} from "./handlebars_template.ts";
export { planProject, type ProjectChange } from "./plan_project.ts";
export { type WriteOptions, writeProject } from "./write_project.ts";

/** Knows the built-in templates by name, and any that you register. */
export class TemplateFactory extends Registry<TemplateRenderer> {
  /** Constructs a factory with the built-in templates. */
  constructor() {
    super("template");
    this.register(
      "capability",
      async () => (await import("./capability/mod.ts")).CAPABILITY_TEMPLATE,
    );
    this.register(
      "channel",
      async () => (await import("./channel/mod.ts")).CHANNEL_TEMPLATE,
    );
    this.register(
      "cli_tool",
      async () => (await import("./cli_tool/mod.ts")).CLI_TOOL_TEMPLATE,
    );
    this.register(
      "generic",
      async () => (await import("./generic/mod.ts")).GENERIC_TEMPLATE,
    );
    this.register(
      "guest",
      async () => (await import("./guest/mod.ts")).GUEST_TEMPLATE,
    );
    this.register(
      "http_server",
      async () => (await import("./http_server/mod.ts")).HTTP_SERVER_TEMPLATE,
    );
    this.register(
      "mcp_server",
      async () => (await import("./mcp_server/mod.ts")).MCP_SERVER_TEMPLATE,
    );
    this.register(
      "plugin",
      async () => (await import("./plugin/mod.ts")).PLUGIN_TEMPLATE,
    );
    this.register(
      "runtime",
      async () => (await import("./runtime/mod.ts")).RUNTIME_TEMPLATE,
    );
    this.register(
      "template",
      async () => (await import("./template/mod.ts")).TEMPLATE_TEMPLATE,
    );
    this.register(
      "wrapper",
      async () => (await import("./wrapper/mod.ts")).WRAPPER_TEMPLATE,
    );
  }

  /**
   * Renders a template by name.
   *
   * @param name A registered name.
   * @param config The values to insert.
   * @returns The files.
   * @throws {SandboxError} With code `unknown-name` or `template-failed`.
   * @throws {TypeError} If the config is wrong; says all that is.
   */
  async render(name: string, config: TemplateConfig): Promise<RenderedFiles> {
    const template = await this.create(name);
    return await template.render(config);
  }
}
