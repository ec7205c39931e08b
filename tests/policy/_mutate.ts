/** Changes to texts that are nearly YAML or JSON. */

import type { Random } from "../v8/_random.ts";

/** What is put into texts: what YAML and JSON give a meaning to. */
const PIECES = [
  ..."{}[],:-?&*!|>'\"%@`#~<=. \t\n\r\\/0123456789abcxyz_+$^()\0\u202e\ufeff",
  "\n  ",
  "\n- ",
  ": ",
  " #",
  "---\n",
  "...\n",
  "<<: ",
  "__proto__: ",
  "constructor: ",
  "&a ",
  "*a",
  "!!str ",
  "|-\n",
  "yes",
  "null",
  "true",
  "0o17",
  "1e999",
  "\\u0000",
  "\\ud800",
  "😀",
  '"a"',
  "[{",
  "}]",
];

/** Changes a text in some places. */
export function mutate(text: string, random: Random): string {
  let result = text;
  for (let step = 1 + random.below(4); step > 0; step--) {
    const start = random.below(result.length + 1);
    const end = Math.min(result.length, start + random.below(12));
    const piece = random.pick([
      "",
      random.pick(PIECES),
      result.slice(start, end),
      result.slice(random.below(result.length + 1)).slice(0, 40),
    ]);
    result = result.slice(0, start) + piece +
      result.slice(random.below(3) === 0 ? start : end);
  }
  return result;
}
