/** Replies to requests whose bodies are not read to their ends. */

/**
 * Makes a response that ends the connection. Deno would read what is left of the
 * request first, to no end, and so would keep the connection of a client that
 * sends nothing. It does not if somebody has asked for the body and holds it
 * until the reply has been sent, as a stream.
 *
 * @param request The request.
 * @param body The body of the reply.
 * @param init Its head.
 * @returns The response.
 */
export function replyToUnread(
  request: Request,
  body: Uint8Array<ArrayBuffer>,
  init: ResponseInit,
): Response {
  if (request.body === null) return new Response(body, init);
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      if (body.length > 0) controller.enqueue(body);
      controller.close();
    },
  }, { highWaterMark: 0 });
  const response = new Response(stream, init);
  response.headers.set("content-length", String(body.length));
  return response;
}
