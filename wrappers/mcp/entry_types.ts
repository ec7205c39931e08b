/** Tools, resources and prompts, as they are served. */

import type { McpGuest } from "./guest.ts";
import type { Findings } from "./names.ts";
import type { McpCommand, McpPromptArgument, McpToolInfo } from "./types.ts";
import type { UriTemplate } from "./uri_template.ts";
import type { Validator } from "./validators.ts";

/** Who answers. */
export interface Answerer {
  readonly guest: McpGuest;
  /** The export. */
  readonly handler: string;
}

/** A tool. */
export interface ToolEntry {
  readonly info: McpToolInfo;
  readonly checkInput: Validator;
  readonly checkOutput: Validator | undefined;
  readonly guest: McpGuest;
  /** The export, or the program that is run. */
  readonly runs: string | McpCommand;
}

/** What clients see of a resource, or a template. */
export interface ResourceInfo {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly mimeType?: string;
}

/** A resource. */
export interface ResourceEntry {
  readonly uri: string;
  readonly info: ResourceInfo;
  /** Who reads it, or its content. */
  readonly source:
    | Answerer
    | { readonly text: string }
    | { readonly blob: string };
}

/** A template of resources. */
export interface TemplateEntry extends Answerer {
  readonly template: UriTemplate;
  readonly uriTemplate: string;
  readonly info: ResourceInfo;
  readonly complete: string | undefined;
}

/** A prompt. */
export interface PromptEntry extends Answerer {
  readonly info: {
    readonly name: string;
    readonly title?: string;
    readonly description?: string;
    readonly arguments?: McpPromptArgument[];
  };
  readonly complete: string | undefined;
}

/** Where an entry stands, and whom it has. */
export interface EntryContext {
  /** Where, for messages: `tools.add`. */
  readonly where: string;
  readonly findings: Findings;
  readonly guest: McpGuest | undefined;
}
