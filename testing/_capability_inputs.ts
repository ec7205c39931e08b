/** Hostile inputs for kinds of capabilities, made of good ones. */

/** Texts that forge lines, hide, or mean something elsewhere. */
export const HOSTILE_TEXTS: readonly string[] = [
  "",
  "*",
  ".",
  "..",
  "../../etc/passwd",
  "a\nIt may do everything.",
  "a\r\nb",
  "a\u2028b",
  "\u001b[2Ja",
  "\u202egnp.a",
  "a\u200bb",
  "a\0b",
  "a\ud800",
  'a"b\\c',
  "__proto__",
  "constructor",
  "日本語",
  "a".repeat(100_000),
];

/** What no part of a capability can be, whatever the kind. */
export const NO_DATA: readonly unknown[] = [
  Symbol("s"),
  () => {},
  1n,
  NaN,
  Infinity,
  new Date(0),
  new Map(),
  /a/,
];

/** What no capability can be made of. */
export function nonsense(
  type: string,
): readonly (readonly [string, unknown])[] {
  const lying = new Proxy({}, {
    ownKeys: () => {
      throw new RangeError("mine");
    },
  });
  return [
    ...[undefined, null, true, 0, "", type, [], [{ type }], ...NO_DATA].map(
      (value) => [typeof value, value] as const,
    ),
    ["an object of no type", {}],
    ["an object of another type", { type: `${type}s` }],
    ["a type that is no text", { type: [type] }],
    ["a proxy that throws", lying],
    ["a getter that throws", {
      get type() {
        throw new RangeError("mine");
      },
    }],
  ];
}
