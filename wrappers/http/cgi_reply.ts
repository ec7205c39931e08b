/** What a CGI program answers (RFC 3875, section 6). */

import type { HeadBounds } from "./head.ts";
import { badReply } from "./problem.ts";
import { checkHead, type ReplyHead } from "./reply.ts";

/** What to answer; a path, if the request is to be asked again there. */
export type CgiHead = ReplyHead | { readonly redirect: string };

const LF = 10;
const CR = 13;
const LATIN1 = new TextDecoder("latin1");

/**
 * The longest head of an output.
 *
 * @param bounds How long names and values may be.
 * @returns The same with what stands between them, in bytes.
 */
export function longestCgiHead(
  { maxHeaders, maxHeaderBytes }: HeadBounds,
): number {
  return maxHeaderBytes + 4 * maxHeaders + 4;
}

/** Finds where the head of an output ends: behind the first line that is empty. */
export class HeadFinder {
  // one that begins with an empty line has no head at all
  #isEmpty = true;

  /**
   * Looks at the next piece.
   *
   * @param piece The piece.
   * @returns Where in it the body begins; undefined if the head goes on.
   */
  find(piece: Uint8Array): number | undefined {
    for (let at = 0; at < piece.length; at++) {
      const byte = piece[at];
      if (byte === LF) {
        if (this.#isEmpty) return at + 1;
        this.#isEmpty = true;
      } else if (byte !== CR) this.#isEmpty = false;
    }
    return undefined;
  }
}

/**
 * Reads the head of an output.
 *
 * @param head All before the body.
 * @param bounds How long it may be.
 * @returns The head.
 * @throws {HttpProblem} With status 502 if it is none.
 */
export function readCgiHead(head: Uint8Array, bounds: HeadBounds): CgiHead {
  const lines = LATIN1.decode(head).split(/\r?\n/)
    .filter((line) => line !== "").map(pairOf);
  const field = (name: string) => {
    const found = lines.filter(([given]) => given.toLowerCase() === name);
    if (found.length > 1) throw badReply(`it has more than one ${name}`);
    return found[0]?.[1];
  };
  const [status, location, type] = [
    field("status"),
    field("location"),
    field("content-type"),
  ];
  if (
    status === undefined && location === undefined && type === undefined
  ) {
    throw badReply("it has none of Content-Type, Location and Status");
  }
  if (location !== undefined && isLocal(location)) {
    if (lines.length === 1) return { redirect: location };
    throw badReply("it has more than a Location that is a path");
  }
  const headers = lines.filter(([name]) => name.toLowerCase() !== "status");
  const code = statusOf(status) ?? (location === undefined ? 200 : 302);
  return checkHead(code, headers, bounds);
}

function pairOf(line: string): [string, string] {
  const colon = line.indexOf(":");
  if (colon < 1) throw badReply("a line of its head is no header");
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}

/** Whether it is a path of this server, and not of another: `//other/`. */
function isLocal(location: string): boolean {
  return /^\/(?![/\\])[\x21-\x7e]*$/.test(location) || location === "/";
}

function statusOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const code = /^(\d{3})(?: .*)?$/.exec(text)?.[1];
  if (code === undefined) throw badReply("its status is no number");
  return Number(code);
}
