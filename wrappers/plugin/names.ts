/** Names of plugins: they are names of files too, and go into messages. */

import { quote } from "../../_text.ts";

const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9_-])?$/;

/** What a name may be, for messages. */
export const NAME_RULE =
  "1 to 64 letters, digits, dots, - and _, beginning with a letter or digit " +
  "and not ending in a dot";

/** Whether a plugin may have this name. */
export function isPluginName(name: unknown): name is string {
  return typeof name === "string" && NAME.test(name);
}

/** Throws unless a plugin may have this name. */
export function checkPluginName(name: unknown): asserts name is string {
  if (isPluginName(name)) return;
  throw new TypeError(
    `Cannot name a plugin ${quote(String(name))}: a name has ${NAME_RULE}`,
  );
}
