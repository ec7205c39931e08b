/** Conditions of a request for a file (RFC 9110, sections 13 and 14). */

/** A part of a file. */
export interface ByteRange {
  readonly from: number;
  readonly length: number;
}

/**
 * Whether the client has the file as it is.
 *
 * @param request Headers of the request.
 * @param file Headers of the file: `etag`, `last-modified`.
 * @returns Whether 304 says enough.
 */
export function isUnchanged(
  request: Headers,
  file: Readonly<Record<string, string>>,
): boolean {
  const known = request.get("if-none-match");
  if (known !== null) {
    const tags = known.split(",").map((tag) => opaque(tag.trim()));
    return tags.includes("*") || tags.includes(opaque(file.etag ?? ""));
  }
  const since = Date.parse(request.get("if-modified-since") ?? "");
  const modified = Date.parse(file["last-modified"] ?? "");
  return modified <= since;
}

/** Tags are compared weakly: two that differ in `W/` alone are the same. */
function opaque(tag: string): string {
  return tag.startsWith("W/") ? tag.slice(2) : tag;
}

/**
 * The part of a file that is asked for. Of several parts, and with `If-Range`,
 * which needs a strong tag, all of the file is sent, as is allowed.
 *
 * @param request Headers of the request.
 * @param size Length of the file.
 * @returns The part; undefined for all of it.
 */
export function rangeOf(
  request: Headers,
  size: number,
): ByteRange | "unsatisfiable" | undefined {
  const text = request.get("range");
  if (text === null || request.has("if-range")) return undefined;
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(text) ?? [];
  if (first === undefined || last === undefined) return undefined;
  if (first === "") {
    if (last === "") return undefined;
    const length = Math.min(Number(last), size);
    return length === 0 ? "unsatisfiable" : { from: size - length, length };
  }
  const from = Number(first);
  const to = last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== "" && Number(last) < from) return undefined;
  if (from >= size) return "unsatisfiable";
  return { from, length: to - from + 1 };
}
