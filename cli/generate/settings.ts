/** Values of a template's config, as they are typed. */

import { ValidationError } from "@cliffy/command";
import { quote } from "../../_text.ts";

/** A value that was typed: `--set limits.timeoutMs=2s`. */
export interface Setting {
  /** The names on the way to it. */
  readonly path: readonly string[];
  /** What was typed. */
  readonly text: string;
}

/**
 * Reads `name=value`.
 *
 * @param argument What was typed.
 * @returns Its parts.
 * @throws {ValidationError} If it has no name.
 */
export function settingOf(
  { value }: { readonly value: string },
): Setting {
  const at = value.indexOf("=");
  const path = value.slice(0, Math.max(0, at)).split(".");
  if (at > 0 && path.every((name) => name !== "")) {
    return { path, text: value.slice(at + 1) };
  }
  throw new ValidationError(
    `Option "--set": ${quote(value)} sets nothing ` +
      "(write it like port=8080, or limits.timeoutMs=2s)",
  );
}
