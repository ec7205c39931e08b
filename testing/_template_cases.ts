/** Cases on templates. */

import { printable } from "../_text.ts";
import { isSafePath } from "../templates/paths.ts";
import type { RenderedFiles, TemplateConfig } from "../templates/types.ts";
import {
  check,
  rendered,
  shapesOf,
  type TemplateCase,
  type TemplateSubject,
  textsOf,
  withFreeTexts,
} from "./_template_case.ts";
import { ODD_TEXTS } from "./_template_texts.ts";

/** Cases on templates. */
export const TEMPLATE_CASES: readonly TemplateCase[] = [
  { name: "says what it is and takes", run: isDescribed },
  { name: "render() gives files that can be written", run: givesFiles },
  { name: "render() gives the same twice", run: isPure },
  { name: "render() keeps odd texts within literals", run: keepsShape },
  { name: "render() keeps odd texts out of paths and names", run: keepsNames },
  { name: "render() refuses values of other types", run: refusesTypes },
  { name: "render() takes nothing inherited or unknown", run: takesOwn },
  { name: "next() gives steps that can be printed", run: givesSteps },
];

function isDescribed({ template }: TemplateSubject): Promise<void> {
  const { name, description, schema } = template;
  check(/^[a-z][a-z0-9_]*$/.test(name), `its name is "${name}"`);
  check(/^\p{Lu}.*\.$/u.test(description), "its description is no sentence");
  check(
    schema.type === "object" && schema.additionalProperties === false,
    "its schema takes what it does not name",
  );
  for (const [property, each] of Object.entries(schema.properties ?? {})) {
    check(
      (each.description ?? "") !== "",
      `its schema does not say what ${property} is`,
    );
  }
  return Promise.resolve();
}

async function givesFiles(subject: TemplateSubject): Promise<void> {
  for (const config of subject.configs) {
    const files = await good(subject, config);
    checkFiles(files);
    await shapesOf(files);
    for (const [path, text] of files) {
      check(text.endsWith("\n"), `${path} does not end with a line`);
      check(!/[ \t]\n/.test(text), `${path} has a line that ends in blanks`);
    }
  }
}

async function isPure(subject: TemplateSubject): Promise<void> {
  for (const config of subject.configs) {
    const given = frozen(structuredClone(config));
    const first = await good(subject, given);
    const second = await good(subject, given);
    check(sameFiles(first, second), "render gives other files the second time");
  }
}

async function keepsShape(subject: TemplateSubject): Promise<void> {
  const { template: { schema } } = subject;
  for (const config of subject.configs) {
    const plain = withFreeTexts(subject, config, "plain");
    const expected = await shapesOf(await good(subject, plain));
    for (const { path, isFree, ...text } of textsOf(plain, schema)) {
      if (!isFree) continue;
      for (const odd of ODD_TEXTS) {
        const what = `${JSON.stringify(odd)} as ${path}`;
        const files = await rendered(subject, text.with(odd), what);
        if (files === undefined) continue;
        checkFiles(files);
        for (const [file, shape] of await shapesOf(files)) {
          check(
            shape === expected.get(file),
            `${what} becomes more than a value in ${file}`,
          );
        }
        check(files.size === expected.size, `${what} changes the files`);
      }
    }
  }
}

async function keepsNames(subject: TemplateSubject): Promise<void> {
  const { template: { schema } } = subject;
  for (const config of subject.configs) {
    for (const { path, isFree, ...text } of textsOf(config, schema)) {
      if (isFree) continue;
      for (const odd of ODD_TEXTS) {
        const what = `${JSON.stringify(odd)} as ${path}`;
        const files = await rendered(subject, text.with(odd), what);
        if (files === undefined) continue;
        checkFiles(files);
        await shapesOf(files);
      }
    }
  }
}

async function refusesTypes(subject: TemplateSubject): Promise<void> {
  const { template: { schema } } = subject;
  const wrong: Readonly<Record<string, readonly unknown[]>> = {
    string: [1, true, [], {}, ["x"]],
    integer: ["1; evil()", 1.5, Infinity, "1"],
    number: ["1; evil()", NaN, "1"],
    boolean: ["true", 1, "evil()"],
    array: ["x", {}, 1],
    object: ["x", [], 1],
  };
  const [config = {}] = subject.configs;
  for (const [name, { type }] of Object.entries(schema.properties ?? {})) {
    for (const value of wrong[type ?? ""] ?? []) {
      await refused(subject, { ...config, [name]: value }, name);
    }
  }
  for (const value of [null, undefined, "x", 1, [config]]) {
    await refused(subject, value, "the config");
  }
}

async function takesOwn(subject: TemplateSubject): Promise<void> {
  const [config = {}] = subject.configs;
  for (const name of ["unknown", "__proto__", "constructor", "toString"]) {
    const more = Object.fromEntries([...Object.entries(config), [name, "x"]]);
    await refused(subject, more, `a property ${name}`);
  }
  const { required = [] } = subject.template.schema;
  const heir: unknown = Object.create(config);
  const files = await rendered(subject, heir, "an heir of a config");
  if (files === undefined) return;
  // defaults are all that it may have taken
  check(required.length === 0, "render took properties that are inherited");
  check(
    sameFiles(files, await good(subject, {})),
    "render took properties that are inherited",
  );
}

async function givesSteps(subject: TemplateSubject): Promise<void> {
  const { template } = subject;
  for (const config of subject.configs) {
    for (const text of ["plain", ...ODD_TEXTS]) {
      const odd = withFreeTexts(subject, config, text);
      const isTaken = await rendered(subject, odd, "an odd text");
      for (
        const step of isTaken === undefined ? [] : template.next?.(odd) ?? []
      ) {
        check(
          step !== "" && printable(step) === step,
          `next gives a step that cannot be printed: ${JSON.stringify(step)}`,
        );
      }
    }
  }
}

async function good(
  subject: TemplateSubject,
  config: TemplateConfig,
): Promise<RenderedFiles> {
  const what = JSON.stringify(config);
  const files = await rendered(subject, config, what);
  check(files !== undefined, `render refuses ${what}`);
  return files;
}

async function refused(
  subject: TemplateSubject,
  config: unknown,
  what: string,
): Promise<void> {
  const files = await rendered(subject, config, what);
  check(files === undefined, `render took another type for ${what}`);
}

function checkFiles(files: RenderedFiles): void {
  check(files.size > 0, "render gives no file");
  const seen = new Set<string>();
  for (const [path, text] of files) {
    check(isSafePath(path), `${JSON.stringify(path)} is no safe path`);
    // systems that do not tell cases apart would make one file of two
    check(!seen.has(path.toLowerCase()), `${path} is there twice`);
    seen.add(path.toLowerCase());
    check(text.isWellFormed(), `${path} is not Unicode`);
  }
}

function sameFiles(one: RenderedFiles, other: RenderedFiles): boolean {
  return JSON.stringify([...one]) === JSON.stringify([...other]);
}

function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    Object.values(value).forEach(frozen);
    Object.freeze(value);
  }
  return value;
}
