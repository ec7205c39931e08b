/** What a guest asks a client for. */

import type { Server } from "@modelcontextprotocol/sdk/server";
import type { RequestHandlerExtra } from "@modelcontextprotocol/sdk/shared/protocol";
import type {
  ServerNotification,
  ServerRequest,
} from "@modelcontextprotocol/sdk/types";
import { GuestFault } from "../../communication/fault.ts";
import { textProblem } from "./names.ts";
import type { Sdk } from "./sdk.ts";
import type { McpClientRequest } from "./types.ts";

/** What the SDK knows of a request of the client. */
export type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

/** Timers of more than 2³¹ ms fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** Longest text of a form, in characters. */
const MAX_TEXT = 8_192;

/** What a guest asks for, and whom. */
export interface ClientQuestion {
  readonly server: Server;
  readonly types: Sdk["types"];
  /** What the guest gave. */
  readonly params: Record<string, unknown>;
  readonly signal: AbortSignal;
  /** The request during which it asks. */
  readonly extra: Extra;
}

/**
 * Asks the client for what a guest wants of it.
 *
 * @param request The feature of the client.
 * @param question What is asked.
 * @returns What the client answers.
 * @throws {GuestFault} If the client has no such feature, or the guest gave what
 * the protocol does not know.
 */
export async function askClient(
  request: McpClientRequest,
  { server, types, params, signal, extra }: ClientQuestion,
): Promise<unknown> {
  if (server.getClientCapabilities()?.[request] === undefined) {
    throw new GuestFault("failed", `the client offers no ${request}`, {
      code: "unsupported",
    });
  }
  // the deadline is that of the guest's call
  const options = { signal, timeout: LONGEST_MS };
  // these are between client and server
  const { _meta, task: _task, ...asked } = params;
  if (request === "sampling") {
    const parsed = types.CreateMessageRequestParamsSchema.safeParse(asked);
    if (!parsed.success) throw malformed(parsed.error);
    return await extra.sendRequest(
      { method: "sampling/createMessage", params: parsed.data },
      types.CreateMessageResultSchema,
      options,
    );
  }
  const problem = unseenIn(asked);
  if (problem !== undefined) throw new GuestFault("invalid", problem);
  const parsed = types.ElicitRequestFormParamsSchema.safeParse(asked);
  if (!parsed.success) throw malformed(parsed.error);
  return await extra.sendRequest(
    { method: "elicitation/create", params: parsed.data },
    types.ElicitResultSchema,
    options,
  );
}

/** What is wrong with the texts that a person is to read, if anything is. */
function unseenIn(value: unknown): string | undefined {
  const waiting: unknown[] = [value];
  while (waiting.length > 0) {
    const each = waiting.pop();
    if (typeof each === "object" && each !== null) {
      for (const [name, part] of Object.entries(each)) waiting.push(name, part);
    }
    const problem = typeof each === "string"
      ? textProblem(each, MAX_TEXT)
      : undefined;
    if (problem !== undefined) return `a text of the form ${problem}`;
  }
  return undefined;
}

function malformed(cause: Error): GuestFault {
  return new GuestFault(
    "invalid",
    "the request is not what the protocol knows",
    { cause },
  );
}
