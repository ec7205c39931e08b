/** Text of a policy file, as far as it is fit to be read at all. */

import { failure, type Finding, type PolicySource } from "./problems.ts";

/** What a file is called. */
export type FileName = Omit<PolicySource, "text">;

/** Longest policy file, in bytes. */
export const MAX_POLICY_BYTES = 256 * 1024;

/**
 * What a reviewer would not see, or see elsewhere: control characters but tab
 * and line ends, separators of lines, marks that turn text around, and halves
 * of pairs. The joiners that some scripts need are let through.
 */
const UNSEEN =
  /(?![\t\n\r\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\ufffe\uffff]/u;

/** A carriage return that does not belong to the end of a line. */
const LONE_RETURN = /\r(?!\n)/;

/** Decodes the bytes of a policy file. */
export function decode(bytes: Uint8Array, file: FileName): string {
  checkLength(bytes.length, file);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(bytes);
  } catch (cause) {
    throw failure({ ...file, text: "" }, {
      problem: "it is not text",
      expected: "UTF-8",
    }, cause);
  }
}

/** Refuses text that is too long or not what it looks like. */
export function checkText(input: string, name: FileName): PolicySource {
  // no text has fewer bytes than UTF-16 units
  checkLength(input.length, name);
  checkLength(new TextEncoder().encode(input).length, name);
  const text = input.startsWith("\ufeff") ? input.slice(1) : input;
  const file = { ...name, text };
  const unseen = UNSEEN.exec(text);
  if (unseen !== null) throw failure(file, unseenFinding(unseen));
  const lone = LONE_RETURN.exec(text);
  if (lone !== null) {
    throw failure(file, {
      offset: lone.index,
      problem: "there is a carriage return without a line feed",
      expected: "lines that end with LF or CRLF",
    });
  }
  return file;
}

function unseenFinding({ index, 0: character }: RegExpExecArray): Finding {
  const code = character.codePointAt(0) ?? 0;
  const name = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
  return {
    offset: index,
    problem: code === 0
      ? "there is a NUL, as in a binary file"
      : `there is the unseen character ${name}`,
    expected: "text",
    hint: "within double quotes it can be written as an escape",
  };
}

function checkLength(length: number, file: FileName): void {
  if (length <= MAX_POLICY_BYTES) return;
  throw failure({ ...file, text: "" }, {
    problem: "it is too long",
    expected: `at most ${MAX_POLICY_BYTES} bytes`,
  });
}
