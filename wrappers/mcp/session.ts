/** One client: what it may ask for, and who answers. */

import type { Server } from "@modelcontextprotocol/sdk/server";
import { quote } from "../../_text.ts";
import { LOG_LEVELS } from "./call.ts";
import { Calls, type SessionParts } from "./calls.ts";
import type { Catalog } from "./catalog.ts";
import { pageFor } from "./page.ts";
import { invalid } from "./protocol_error.ts";
import { argumentsOf, callTool } from "./runner.ts";
import { serveCompletion, servePrompts } from "./serve_prompts.ts";
import { ResourceRequests } from "./serve_resources.ts";

/** Longest message of an error of the SDK's, which may hold what a client sent. */
const MAX_MESSAGE = 1_024;

/** A client. */
export class Session {
  readonly #parts: SessionParts;
  readonly #server: Server;
  readonly #calls: Calls;
  readonly #resources: ResourceRequests;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    const { sdk, settings, catalog } = parts;
    const { name, version, title, instructions } = settings.options;
    const offers = offersOf(catalog);
    const server = this.#server = new sdk.Server(
      { name, version, ...(title !== undefined && { title }) },
      {
        capabilities: {
          logging: {},
          tools: {},
          ...(offers.resources && { resources: { subscribe: true } }),
          ...(offers.prompts && { prompts: {} }),
          ...(offers.completions && { completions: {} }),
        },
        ...(instructions !== undefined && { instructions }),
      },
    );
    server.onerror = (error) =>
      settings.tell(shortened(error), { operation: "session" });
    const calls = this.#calls = new Calls(parts, server);
    this.#resources = new ResourceRequests(parts, calls);
    this.#serveTools();
    this.#serveLevel();
    if (offers.resources) this.#resources.serve(server);
    if (offers.prompts) servePrompts(server, parts, calls);
    if (offers.completions) serveCompletion(server, parts, calls);
  }

  /** The SDK's side of it. */
  get server(): Server {
    return this.#server;
  }

  /** Calls that run or wait. */
  get calls(): number {
    return this.#calls.running;
  }

  /** Told of each request that the client has cancelled, when it has ended. */
  set onCancelled(told: (id: string | number) => void) {
    this.#calls.onCancelled = told;
  }

  /** Tells the client that a resource has changed, if it subscribed to that. */
  tellUpdated(uri: string): void {
    if (!this.#resources.isSubscribed(uri)) return;
    this.#server.sendResourceUpdated({ uri }).catch((error) =>
      this.#parts.settings.tell(error, { operation: "session" })
    );
  }

  #serveTools(): void {
    const { sdk: { types }, catalog, counts, settings } = this.#parts;
    const { pageSize } = settings.options;
    const server = this.#server;
    server.setRequestHandler(types.ListToolsRequestSchema, ({ params }) => {
      const { items, ...rest } = pageFor(catalog.tools, params, pageSize);
      // checked when it was made: the type of a schema is the SDK's own
      return { tools: items.map(({ info }) => info) as never[], ...rest };
    });
    server.setRequestHandler(
      types.CallToolRequestSchema,
      async ({ params }, extra) => {
        const tool = catalog.tools.get(params.name);
        if (tool === undefined) {
          throw invalid(`Unknown tool: ${quote(params.name)}`);
        }
        const input = argumentsOf(params);
        const result = await this.#calls.run(
          tool.guest,
          extra,
          (context) => callTool(tool, input, context),
        );
        if (result.isError) counts.failures++;
        return result;
      },
    );
  }

  #serveLevel(): void {
    const { types } = this.#parts.sdk;
    this.#server.setRequestHandler(
      types.SetLevelRequestSchema,
      ({ params }) => {
        const level = LOG_LEVELS.find((each) => each === params.level);
        if (level !== undefined) this.#calls.level = level;
        return {};
      },
    );
  }
}

/** What there is beside tools. */
function offersOf({ resources, templates, prompts }: Catalog) {
  const all = [...prompts.values(), ...templates.values()];
  return {
    resources: resources.size + templates.size > 0,
    prompts: prompts.size > 0,
    completions: all.some(({ complete }) => complete !== undefined),
  };
}

function shortened(error: Error): Error {
  const { message } = error;
  return message.length > MAX_MESSAGE
    ? new Error(`${message.slice(0, MAX_MESSAGE)}…`)
    : error;
}
