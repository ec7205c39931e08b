/** Lists, a page at a time. */

import { isObject, own } from "./names.ts";
import { invalid } from "./protocol_error.ts";

/**
 * One page of a list that does not change.
 *
 * @param entries The list.
 * @param options How long a page is, and where it begins.
 * @returns The page; undefined, if the cursor is none of ours.
 */
function page<T>(
  entries: readonly T[],
  { cursor, pageSize }: { readonly cursor: unknown; readonly pageSize: number },
): { readonly items: readonly T[]; readonly nextCursor?: string } | undefined {
  const start = cursor === undefined ? 0 : startOf(cursor, pageSize);
  if (start === undefined || (start > 0 && start >= entries.length)) {
    return undefined;
  }
  const end = start + pageSize;
  const items = entries.slice(start, end);
  return end >= entries.length
    ? { items }
    : { items, nextCursor: btoa(`from:${end}`) };
}

function startOf(cursor: unknown, pageSize: number): number | undefined {
  if (typeof cursor !== "string" || cursor.length > 64) return undefined;
  try {
    const [, digits = ""] = /^from:([1-9]\d{0,8})$/.exec(atob(cursor)) ?? [];
    const start = Number(digits);
    return start > 0 && start % pageSize === 0 ? start : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A page of a list, as a client asks for it.
 *
 * @param entries The list.
 * @param params What the client sent.
 * @param pageSize How long a page is.
 * @returns The page.
 * @throws {ProtocolError} If the cursor is none of ours.
 */
export function pageFor<T>(
  entries: ReadonlyMap<string, T>,
  params: unknown,
  pageSize: number,
): NonNullable<ReturnType<typeof page<T>>> {
  const cursor = isObject(params) ? own(params, "cursor") : undefined;
  const found = page([...entries.values()], { cursor, pageSize });
  if (found !== undefined) return found;
  throw invalid("Invalid cursor");
}
