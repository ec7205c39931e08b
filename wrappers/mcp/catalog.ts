/** All that a server offers: what its options name, and what guests describe. */

import { quote } from "../../_text.ts";
import type { OperationOptions } from "../../runtime/types.ts";
import { describe, type Described, described } from "./describe.ts";
import {
  promptEntry,
  resourceEntry,
  templateEntry,
  toolEntry,
} from "./entries.ts";
import { checkFree } from "./entry_parts.ts";
import type {
  EntryContext,
  PromptEntry,
  ResourceEntry,
  TemplateEntry,
  ToolEntry,
} from "./entry_types.ts";
import { type GuestTerms, McpGuest } from "./guest.ts";
import { FUNCTION_PREFIX } from "./host_functions.ts";
import { Findings, MAX_URI, nameProblem, textProblem } from "./names.ts";
import { MCP_GUEST_PROPERTIES } from "./schema.ts";
import type {
  McpGuestChoice,
  McpGuestOptions,
  McpNamedGuest,
  McpServerOptions,
} from "./types.ts";

/** The export that is asked if the options name none. */
const DESCRIBE = "describe";

/** Longest instructions, in characters. */
const MAX_INSTRUCTIONS = 32_768;

/** What a server offers, by name or URI. */
export class Catalog implements AsyncDisposable {
  /** The tools. */
  readonly tools: Map<string, ToolEntry> = new Map();
  /** The resources. */
  readonly resources: Map<string, ResourceEntry> = new Map();
  /** The templates of resources. */
  readonly templates: Map<string, TemplateEntry> = new Map();
  /** The prompts. */
  readonly prompts: Map<string, PromptEntry> = new Map();
  readonly #guests: McpGuest[] = [];
  readonly #named = new Map<string, McpGuest>();
  readonly #terms: GuestTerms;
  readonly #operation: OperationOptions;

  private constructor(terms: GuestTerms, operation: OperationOptions) {
    this.#terms = terms;
    this.#operation = operation;
  }

  /**
   * Makes the guests, and all that they answer.
   *
   * @param options What there is.
   * @param terms What the guests share.
   * @param operation Cancellation.
   * @returns The catalog; dispose it when done.
   * @throws {TypeError} That tells everything that is wrong with the options.
   * @throws {SandboxError} If a guest cannot be made, or describes itself wrong.
   */
  static async create(
    options: McpServerOptions,
    terms: GuestTerms,
    operation: OperationOptions,
  ): Promise<Catalog> {
    checkChoices(options);
    await using stack = new AsyncDisposableStack();
    const catalog = stack.use(new Catalog(terms, operation));
    await catalog.#fill(options);
    await catalog.#describe(options.guests ?? {});
    stack.move();
    return catalog;
  }

  /** The guests. */
  get guests(): readonly McpGuest[] {
    return this.#guests;
  }

  /** Whether a guest answers for a resource. */
  isOf(guest: McpGuest, uri: string): boolean {
    const entry = this.resources.get(uri);
    if (entry !== undefined) {
      return "guest" in entry.source && entry.source.guest === guest;
    }
    const template = this.templateOf(uri);
    return template?.entry.guest === guest;
  }

  /** The first template that gives a URI, and the values with which it does. */
  templateOf(uri: string): {
    readonly entry: TemplateEntry;
    readonly params: Readonly<Record<string, string>>;
  } | undefined {
    // a client names it, and what it subscribes to is kept
    if (uri.length > MAX_URI) return undefined;
    for (const entry of this.templates.values()) {
      const params = entry.template.match(uri);
      if (params !== undefined) return { entry, params };
    }
    return undefined;
  }

  /** Ends all guests. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#guests.map((guest) => guest[Symbol.asyncDispose]()),
    );
  }

  async #fill(options: McpServerOptions): Promise<void> {
    for (const [name, guest] of Object.entries(options.guests ?? {})) {
      this.#named.set(name, await this.#open(guest));
    }
    const findings = new Findings();
    const lists = [
      ["tools", options.tools],
      ["resources", options.resources],
      ["resourceTemplates", options.resourceTemplates],
      ["prompts", options.prompts],
    ] as const;
    for (const [list, entries] of lists) {
      for (const [key, spec] of Object.entries(entries ?? {})) {
        const where = `${list}[${quote(key)}]`;
        const guest = await this.#guestOf(spec);
        await this.#add(
          { list, key, spec: { ...spec }, where },
          guest,
          findings,
        );
      }
    }
    if (findings.text !== undefined) throw wrong(findings.text);
  }

  async #describe(
    named: Readonly<Record<string, McpNamedGuest>>,
  ): Promise<void> {
    for (const [name, { describe: chosen }] of Object.entries(named)) {
      const guest = this.#named.get(name);
      if (guest === undefined || chosen === false) continue;
      const isThere = guest.exports.some((each) =>
        each.kind === "function" && each.name === (chosen ?? DESCRIBE)
      );
      if (isThere) await this.#ask(name, chosen ?? DESCRIBE, guest);
      else if (chosen !== undefined) {
        throw wrong(
          `guests[${quote(name)}].describe is ${quote(chosen)}, which the ` +
            "module does not export",
        );
      }
    }
  }

  async #ask(name: string, from: string, guest: McpGuest): Promise<void> {
    const findings = new Findings();
    const signal = this.#operation.signal ?? new AbortController().signal;
    const entries = await describe(guest, from, { findings, signal });
    for (const entry of entries) await this.#add(entry, guest, findings);
    if (findings.count > 0) throw described(name, from, findings);
  }

  async #add(
    { list, key, spec, where }: Described,
    guest: McpGuest | undefined,
    findings: Findings,
  ): Promise<void> {
    const context: EntryContext = { where, findings, guest };
    switch (list) {
      case "tools":
        checkFree(this.tools, key, context);
        return put(this.tools, key, await toolEntry(key, spec, context));
      case "resources":
        checkFree(this.resources, key, context);
        return put(this.resources, key, resourceEntry(key, spec, context));
      case "resourceTemplates":
        checkFree(this.templates, key, context);
        return put(this.templates, key, templateEntry(key, spec, context));
      case "prompts":
        checkFree(this.prompts, key, context);
        return put(this.prompts, key, promptEntry(key, spec, context));
    }
  }

  async #guestOf(choice: McpGuestChoice): Promise<McpGuest | undefined> {
    if (choice.guest !== undefined) return this.#named.get(choice.guest);
    const { module } = choice;
    return module === undefined
      ? undefined
      : await this.#open({ ...choice, module });
  }

  async #open(options: McpGuestOptions): Promise<McpGuest> {
    const guest = await McpGuest.create(options, this.#terms, this.#operation);
    this.#guests.push(guest);
    return guest;
  }
}

function put<T>(map: Map<string, T>, key: string, entry: T | undefined): void {
  // the first one stays: that the second is wrong is noted
  if (entry !== undefined && !map.has(key)) map.set(key, entry);
}

/** What a schema cannot say of the options. */
function checkChoices(options: McpServerOptions): void {
  const findings = new Findings();
  const { guests = {}, tools = {}, resources = {} } = options;
  const texts = [
    ["name", options.name, 128],
    ["version", options.version, 128],
    ["title", options.title, 256],
    ["instructions", options.instructions, MAX_INSTRUCTIONS],
  ] as const;
  for (const [name, text, maxLength] of texts) {
    const problem = textProblem(text ?? "", maxLength);
    if (problem !== undefined) findings.add(name, problem);
  }
  for (const [name, guest] of Object.entries(guests)) {
    const where = `guests[${quote(name)}]`;
    const problem = nameProblem(name);
    if (problem !== undefined) findings.add(where, problem);
    checkFunctions(guest, where, findings);
  }
  for (const [name, { handler, command }] of Object.entries(tools)) {
    if ((handler === undefined) === (command === undefined)) {
      findings.add(`tools[${quote(name)}]`, "needs one of handler and command");
    }
  }
  const lists = [
    ["tools", tools],
    ["resources", resources],
    ["resourceTemplates", options.resourceTemplates ?? {}],
    ["prompts", options.prompts ?? {}],
  ] as const;
  for (const [list, entries] of lists) {
    for (const [key, entry] of Object.entries(entries)) {
      const where = `${list}[${quote(key)}]`;
      const isFixed = list === "resources" && entry.handler === undefined;
      checkGuest(entry, { where, findings, guests, isFixed });
    }
  }
  if (findings.text !== undefined) throw wrong(findings.text);
}

function checkGuest(
  entry: McpGuestChoice,
  { where, findings, guests, isFixed }: {
    readonly where: string;
    readonly findings: Findings;
    readonly guests: Readonly<Record<string, McpNamedGuest>>;
    readonly isFixed: boolean;
  },
): void {
  const { guest, module } = entry;
  const own = Object.keys(MCP_GUEST_PROPERTIES).find((name) =>
    entry[name as keyof McpGuestChoice] !== undefined
  );
  checkFunctions(entry, where, findings);
  if (isFixed) {
    if (guest !== undefined || own !== undefined) {
      findings.add(where, "is read by nobody, and needs no guest");
    }
  } else if (guest === undefined) {
    if (module === undefined) findings.add(where, "needs a module, or a guest");
  } else if (!Object.hasOwn(guests, guest)) {
    findings.add(`${where}.guest`, `is ${quote(guest)}, which guests has not`);
  } else if (own !== undefined) {
    findings.add(
      where,
      `has both guest and ${own} (options of a shared guest are in guests)`,
    );
  }
}

function checkFunctions(
  { hostFunctions = {} }: McpGuestChoice,
  where: string,
  findings: Findings,
): void {
  const taken = Object.keys(hostFunctions)
    .find((name) => name.startsWith(FUNCTION_PREFIX));
  if (taken === undefined) return;
  findings.add(
    `${where}.hostFunctions`,
    `has ${quote(taken)}: what begins with ${FUNCTION_PREFIX} is the server's`,
  );
}

function wrong(problems: string): TypeError {
  return new TypeError(`Cannot create mcp_server: ${problems}`);
}
