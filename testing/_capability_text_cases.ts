/** Cases on what kinds of capabilities say of themselves. */

import { printable } from "../_text.ts";
import { isPlainObject } from "../security/_parse.ts";
import {
  type CapabilityCase,
  check,
  type KindSubject,
  shown,
} from "./_capability_case.ts";
import { HOSTILE_TEXTS } from "./_capability_inputs.ts";
import { renamed, replaced } from "./_variants.ts";

/** Longest sentence, in UTF-16 units: a reader has to see its end. */
const MAX_SENTENCE = 4_096;

const PERMISSIONS = ["read", "write", "net", "env"];

/** Cases on what kinds of capabilities say of themselves. */
export const CAPABILITY_TEXT_CASES: readonly CapabilityCase[] = [
  { name: "describe() gives whole sentences", run: givesSentences },
  { name: "describe() is printable whatever is granted", run: isPrintable },
  { name: "notProtected is whole sentences", run: isHonest },
  { name: "denoPermissions() is plain data", run: givesPermissions },
];

function givesSentences(subject: KindSubject): void {
  for (const { input, capability } of subject.examples()) {
    const sentences = subject.kind.describe(capability);
    checkSentences(sentences, `describe, for ${shown(input)},`);
    check(sentences.length > 0, `describe says nothing of ${shown(input)}`);
  }
}

function isPrintable(subject: KindSubject): void {
  const texts = (part: unknown) =>
    typeof part === "string" ? HOSTILE_TEXTS : [];
  for (const { input } of subject.examples()) {
    const variants = [
      ...replaced(input, texts),
      ...renamed(input, HOSTILE_TEXTS),
    ];
    for (const { path, input: hostile } of variants) {
      const capability = subject.parse(hostile, path);
      if (capability === undefined) continue;
      const what = `describe, with a hostile ${path},`;
      checkSentences(subject.kind.describe(capability), what);
    }
  }
}

function isHonest({ kind }: KindSubject): void {
  checkSentences(kind.notProtected, "notProtected");
}

function checkSentences(sentences: readonly string[], who: string): void {
  check(Array.isArray(sentences), `${who} gives no list`);
  for (const sentence of sentences) {
    check(typeof sentence === "string", `${who} gives what is no text`);
    check(
      printable(sentence) === sentence,
      `${who} gives what cannot be printed: ${shown(sentence)}`,
    );
    check(
      /^\p{Lu}.*\.$/u.test(sentence),
      `${who} gives no whole sentence: ${shown(sentence)}`,
    );
    check(
      sentence.length <= MAX_SENTENCE,
      `${who} gives a sentence of ${sentence.length} characters`,
    );
  }
}

function givesPermissions(subject: KindSubject): void {
  for (const { capability } of subject.examples()) {
    const permissions: unknown = subject.kind.denoPermissions(capability);
    check(isPlainObject(permissions), "denoPermissions gives no plain object");
    for (const [name, values] of Object.entries(permissions)) {
      check(
        PERMISSIONS.includes(name),
        `denoPermissions gives ${shown(name)}, which is no permission`,
      );
      check(
        Array.isArray(values) &&
          values.every((each) => typeof each === "string" && each !== ""),
        `denoPermissions gives no list of texts for ${name}`,
      );
    }
  }
}
