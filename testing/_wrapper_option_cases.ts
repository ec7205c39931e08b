/** What a wrapper promises of its options. */

import type { JsonSchema } from "../security/json_schema.ts";
import type { WrapperCase, WrapperSubject } from "./_wrapper_case.ts";
import { check, failureOf } from "./_wrapper_check.ts";

/** How many options are wrong at a time. */
const AT_ONCE = 6;

/** Fails unless the options are refused, and everything wrong is named. */
async function checkRefused(
  { create }: { create: (options: unknown) => Promise<unknown> },
  options: unknown,
  names: readonly string[],
): Promise<string> {
  const what = `create() with ${names.join(", ") || "no"} wrong`;
  const error = await failureOf(() => create(options), what);
  check(error instanceof TypeError, `${what} is no TypeError: ${error}`);
  for (const name of names) {
    check(
      error.message.includes(name),
      `${what} does not name ${name}: ${error.message}`,
    );
  }
  return error.message;
}

function creating(subject: WrapperSubject): {
  create: (options: unknown) => Promise<unknown>;
} {
  return {
    create: async (options) => {
      // what is made by mistake must not be left
      await using _wrapper = await subject.create(options);
    },
  };
}

function propertiesOf({ kind }: WrapperSubject): [string, JsonSchema][] {
  return Object.entries(kind.schema.properties ?? {});
}

async function checkKind(subject: WrapperSubject): Promise<void> {
  const { kind, wrappers } = subject;
  const { type, description, schema } = kind;
  check(/^[a-z][a-z0-9_]*$/.test(type), `${type} is no name for a section`);
  check(description.length > 0, "its kind has no description");
  check(wrappers.has(type), `no kind is registered as ${type}`);
  const registered = await wrappers.create(type);
  check(registered.type === type, `what is registered is ${registered.type}`);
  check(
    schema.type === "object" && schema.additionalProperties === false,
    "its schema does not refuse names that it does not know",
  );
  await using wrapper = await subject.open();
  check(
    wrapper.wrapperType === type,
    `its wrapperType is ${wrapper.wrapperType} and not ${type}`,
  );
}

function checkDescriptions(subject: WrapperSubject): Promise<void> {
  for (const [name, schema] of propertiesOf(subject)) {
    check(!!schema.description, `the option ${name} has no description`);
    const says = schema.type ?? schema.format ?? schema.enum ?? schema.oneOf;
    check(says !== undefined, `the option ${name} may be anything`);
  }
  return Promise.resolve();
}

async function checkUnknown(subject: WrapperSubject): Promise<void> {
  const options = subject.options();
  const maker = creating(subject);
  await checkRefused(maker, { ...options, noSuchOption: 1, norThisOne: 2 }, [
    "noSuchOption",
    "norThisOne",
  ]);
  const [name] = propertiesOf(subject).find(([each]) => each.length > 5) ?? [];
  if (name === undefined) return;
  const typo = `${name.slice(0, -1)}_`;
  const message = await checkRefused(maker, { ...options, [typo]: 1 }, [typo]);
  check(
    message.includes(`did you mean "${name}"`),
    `${typo} is not told to be ${name}: ${message}`,
  );
}

/** Values that an option may not have; none, if only its reader knows. */
function wrongValues(name: string, schema: JsonSchema): readonly unknown[] {
  const { format, type, enum: choices, oneOf, minimum, maximum } = schema;
  if (format === "code") return /^on[A-Z]/.test(name) ? [5] : [];
  if (format !== undefined && OPAQUE.includes(format)) return [];
  if (oneOf?.some((each) => each.format === "code")) return [];
  if (choices !== undefined) return ["no such choice", 5];
  switch (type) {
    case "integer":
    case "number":
      return [
        "many",
        NaN,
        ...(type === "integer" ? [1.5] : []),
        ...(minimum === undefined ? [] : [minimum - 1]),
        ...(maximum === undefined ? [] : [maximum + 1]),
      ];
    case "string":
      return [5, null];
    case "boolean":
      return ["yes", 1];
    case "array":
      return [{}, "one"];
    case "object":
      return [[], "one"];
    default:
      return [() => {}];
  }
}

const OPAQUE: readonly string[] = ["module", "policy", "limits"];

async function checkTypes(subject: WrapperSubject): Promise<void> {
  const wrong = propertiesOf(subject).flatMap(([name, schema]) =>
    wrongValues(name, schema).map((value, turn) => ({ name, value, turn }))
  );
  const turns = Object.groupBy(wrong, ({ turn }) => turn);
  for (const all of Object.values(turns)) {
    for (let at = 0; at < (all?.length ?? 0); at += AT_ONCE) {
      const some = all?.slice(at, at + AT_ONCE) ?? [];
      const values = some.map(({ name, value }) => [name, value]);
      await checkRefused(
        creating(subject),
        { ...subject.options(), ...Object.fromEntries(values) },
        some.map(({ name }) => name),
      );
    }
  }
}

async function checkNoObject(subject: WrapperSubject): Promise<void> {
  const { required = [] } = subject.kind.schema;
  if (required.length > 0) {
    await checkRefused(creating(subject), {}, required);
  }
  for (const value of [5, "text", [], null]) {
    await checkRefused(creating(subject), value, []);
  }
}

async function checkDefaults(subject: WrapperSubject): Promise<void> {
  const defaults = propertiesOf(subject)
    .filter(([, { default: value }]) => value !== undefined)
    .map(([name, { default: value }]) => [name, value]);
  const options = { ...Object.fromEntries(defaults), ...subject.options() };
  await using wrapper = await subject.create(options);
  await subject.request(wrapper);
}

async function checkReading(subject: WrapperSubject): Promise<void> {
  const options = subject.options();
  for (const value of Object.values(options)) {
    if (!ArrayBuffer.isView(value)) Object.freeze(value);
  }
  const reads = new Map<PropertyKey, number>();
  const seen = new Proxy(Object.freeze(options), {
    get: (target, name) => {
      reads.set(name, (reads.get(name) ?? 0) + 1);
      return Reflect.get(target, name);
    },
  });
  await using wrapper = await subject.create(seen);
  for (const [name, count] of reads) {
    check(count === 1, `the option ${String(name)} is read ${count} times`);
  }
  reads.clear();
  await subject.request(wrapper);
  const [late] = reads.keys();
  check(
    late === undefined,
    `the option ${String(late)} is read when the wrapper is there already`,
  );
}

/** Options. */
export const OPTION_CASES: readonly WrapperCase[] = [
  { name: "has a kind that is registered by its name", run: checkKind },
  { name: "describes each of its options", run: checkDescriptions },
  { name: "refuses options that it does not know", run: checkUnknown },
  { name: "refuses options of another type, all at once", run: checkTypes },
  {
    name: "refuses what is no object, and missing options",
    run: checkNoObject,
  },
  { name: "takes its own defaults", run: checkDefaults },
  { name: "reads its options once, and changes nothing", run: checkReading },
];
