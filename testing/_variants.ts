/** Variants of good inputs: one part replaced in each. */

import { isPlainObject } from "../security/_parse.ts";

/** A value in the place of a part of another value. */
export interface Variant {
  readonly path: string;
  readonly input: unknown;
}

/** The value with each of its parts in turn replaced. */
export function* replaced(
  value: unknown,
  by: (part: unknown) => readonly unknown[],
  path = "it",
): Iterable<Variant> {
  for (const input of by(value)) yield { path, input };
  if (Array.isArray(value)) {
    for (const [index, part] of value.entries()) {
      for (const variant of replaced(part, by, `${path}[${index}]`)) {
        yield { ...variant, input: value.with(index, variant.input) };
      }
    }
  } else if (isPlainObject(value)) {
    for (const [name, part] of Object.entries(value)) {
      for (const variant of replaced(part, by, `${path}.${name}`)) {
        yield { ...variant, input: { ...value, [name]: variant.input } };
      }
    }
  }
}

/** The value with each of its names in turn replaced. */
export function* renamed(
  value: unknown,
  names: readonly string[],
): Iterable<Variant> {
  const objects = (part: unknown) =>
    isPlainObject(part)
      ? Object.entries(part).flatMap(([name, each]) =>
        names.map((other) =>
          // a plain assignment of __proto__ would set the prototype
          Object.fromEntries([
            ...Object.entries(part).filter(([it]) => it !== name),
            [other, each],
          ])
        )
      )
      : [];
  yield* replaced(value, objects);
}
