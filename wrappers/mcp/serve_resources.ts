/** Answers what a client asks of resources. */

import type { Server } from "@modelcontextprotocol/sdk/server";
import type { Extra } from "./ask_client.ts";
import type { Calls, SessionParts } from "./calls.ts";
import { pageFor } from "./page.ts";
import { busy, notFound } from "./protocol_error.ts";
import { readResource } from "./runner.ts";

/** The resources, for one client. */
export class ResourceRequests {
  readonly #parts: SessionParts;
  readonly #calls: Calls;
  readonly #subscriptions = new Set<string>();

  constructor(parts: SessionParts, calls: Calls) {
    this.#parts = parts;
    this.#calls = calls;
  }

  /** Whether the client wants to hear of a resource. */
  isSubscribed(uri: string): boolean {
    return this.#subscriptions.has(uri);
  }

  /** Answers from now on. */
  serve(server: Server): void {
    const { sdk: { types }, catalog, settings } = this.#parts;
    const { pageSize } = settings.options;
    server.setRequestHandler(types.ListResourcesRequestSchema, ({ params }) => {
      const { items, ...rest } = pageFor(catalog.resources, params, pageSize);
      const resources = items.map(({ uri, info }) => ({ uri, ...info }));
      return { resources, ...rest };
    });
    server.setRequestHandler(
      types.ListResourceTemplatesRequestSchema,
      ({ params }) => {
        const { items, ...rest } = pageFor(catalog.templates, params, pageSize);
        const resourceTemplates = items
          .map(({ uriTemplate, info }) => ({ uriTemplate, ...info }));
        return { resourceTemplates, ...rest };
      },
    );
    server.setRequestHandler(
      types.ReadResourceRequestSchema,
      ({ params: { uri } }, extra) => this.#read(uri, extra),
    );
    server.setRequestHandler(types.SubscribeRequestSchema, ({ params }) => {
      this.#subscribe(params.uri);
      return {};
    });
    server.setRequestHandler(types.UnsubscribeRequestSchema, ({ params }) => {
      this.#subscriptions.delete(params.uri);
      return {};
    });
  }

  async #read(uri: string, extra: Extra) {
    const { catalog } = this.#parts;
    const entry = catalog.resources.get(uri);
    if (entry !== undefined) {
      const { source } = entry;
      const guest = "guest" in source ? source.guest : undefined;
      return await this.#calls.run(
        guest,
        extra,
        (context) => readResource(entry, context),
      );
    }
    const found = catalog.templateOf(uri);
    if (found === undefined) throw notFound(uri);
    const { info, guest, handler } = found.entry;
    const resource = { uri, info, source: { guest, handler } };
    return await this.#calls.run(
      guest,
      extra,
      (context) => readResource(resource, context, found.params),
    );
  }

  #subscribe(uri: string): void {
    const { catalog, settings } = this.#parts;
    if (
      !catalog.resources.has(uri) && catalog.templateOf(uri) === undefined
    ) throw notFound(uri);
    const { maxSubscriptions } = settings.options;
    if (
      !this.#subscriptions.has(uri) &&
      this.#subscriptions.size >= maxSubscriptions
    ) {
      throw busy(`Cannot subscribe to more than ${maxSubscriptions} resources`);
    }
    this.#subscriptions.add(uri);
  }
}
