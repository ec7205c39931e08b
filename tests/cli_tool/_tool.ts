import { CliTool, type CliToolOptions } from "../../wrappers/cli_tool.ts";

/** A program that does what its first argument says. */
export const ACTOR = "tests/cli_tool/guests/actor.wasm";

/** Makes a tool of the actor. */
export function actor(
  options: Partial<CliToolOptions> = {},
): Promise<CliTool> {
  return CliTool.create({ module: ACTOR, ...options });
}

/** Where a tool can run. */
export const ISOLATIONS = ["inline", "process"] as const;

/** All of a stream, as text. */
export function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  return new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).text();
}

/** Writes text to a stream, and closes it. */
export async function typed(
  stream: WritableStream<Uint8Array>,
  text: string,
): Promise<void> {
  const writer = stream.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
}
