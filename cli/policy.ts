/**
 * The command `policy`: checks, explains and imports policy files.
 *
 * @module
 */

// deno-lint-ignore-file no-explicit-any -- `any` switches cliffy's inference off

import { Command, ValidationError } from "@cliffy/command";
import { dirname } from "node:path";
import { printable, quote } from "../_text.ts";
import { SandboxError } from "../errors.ts";
import { shellQuote } from "../security/policy_file/explain.ts";
import {
  explainPolicy,
  type ExtismDialect,
  importExtismManifest,
  parsePolicy,
  type PolicyDocument,
  type PolicyExplanation,
  policySchema,
  stringifyPolicy,
} from "../security/policy_file/mod.ts";
import { readBytes } from "../security/policy_file/parse.ts";
import { exitCodeOf } from "./exit_codes.ts";
import { nameType } from "./positional.ts";
import { noArguments } from "./run.ts";
import { type Session, STDIN } from "./session.ts";

const DESCRIPTION = `Check, explain and import policy files.

A policy file says in YAML or JSON what a guest may do and use; docs/policy.md
describes it. Ends with 2 if a file is not well-formed.`;

const FLAGS = ["--json", "--help"];

/** The flags of these commands. */
interface PolicyFlags {
  readonly json?: true;
  readonly dialect?: ExtismDialect;
}

/**
 * Makes the command `policy`.
 *
 * @param session The run of the command line.
 * @returns The command.
 */
export function policyCommand(session: Session): Command<any> {
  return new Command<any>()
    .description(DESCRIPTION)
    .example("Check", "wasm-sandbox policy check app.yaml")
    .example("Explain", "wasm-sandbox policy explain app.yaml")
    .example("Import", "wasm-sandbox policy import manifest.json > app.yaml")
    .action(async function (this: Command<any>) {
      noArguments(this.getLiteralArgs());
      await session.host.stdout(`${this.getHelp().trimEnd()}\n`);
    })
    .command(
      "check",
      fileCommand(
        "Tell everything that is wrong with a policy file.",
        (flags, file) => check(session, flags, file),
      ),
    )
    .command(
      "explain",
      fileCommand(
        "Put a policy file into plain sentences and flags of deno run.",
        (flags, file) => explain(session, flags, file),
      ),
    )
    .command("schema", schemaCommand(session))
    .command("import", importCommand(session))
    .reset();
}

function importCommand(session: Session): Command<any> {
  return fileCommand(
    "Make a policy of an Extism manifest, with notes on what is left out.",
    (flags, file) => importManifest(session, flags, file),
    ["--dialect"],
  )
    .type("dialect", dialectOf)
    .option(
      "--dialect <name:dialect>",
      "Whose manifest it is: native (of Rust's library) or js.",
    )
    .example("Import", "wasm-sandbox policy import manifest.json > app.yaml");
}

function dialectOf({ value }: { readonly value: string }): ExtismDialect {
  if (value === "native" || value === "js") return value;
  throw new ValidationError(
    `Option "--dialect": ${quote(value)} is no dialect (write native or js)`,
  );
}

function fileCommand(
  description: string,
  action: (flags: PolicyFlags, file: string) => Promise<void>,
  flags: readonly string[] = [],
): Command<any> {
  return new Command<any>()
    .description(description)
    .type("name", nameType([...FLAGS, ...flags]))
    .arguments("<file:name>", ["Path of the file, or - for standard input."])
    .action(async function (
      this: Command<any>,
      flags: PolicyFlags,
      file: string,
    ) {
      noArguments(this.getLiteralArgs());
      await action(flags, file);
    });
}

function schemaCommand(session: Session): Command<any> {
  return new Command<any>()
    .description("Print the JSON Schema of policy files.")
    .action(async function (this: Command<any>, { json }: PolicyFlags) {
      noArguments(this.getLiteralArgs());
      if (json) return await session.printJson(policySchema());
      await session.host.stdout(`${JSON.stringify(policySchema(), null, 2)}\n`);
    });
}

async function check(
  session: Session,
  { json }: PolicyFlags,
  file: string,
): Promise<void> {
  const { host } = session;
  try {
    const { policy } = await read(session, file);
    const { length } = policy.capabilities;
    if (json) return await session.printJson({ source: file, problems: [] });
    const noun = length === 1 ? "capability" : "capabilities";
    await host.stdout(`${printable(file)}: well-formed, ${length} ${noun}\n`);
  } catch (error) {
    if (!SandboxError.is(error, "invalid-policy")) throw error;
    session.exitCode = exitCodeOf(error);
    const { problems = [] } = error.details;
    if (json) return await session.printJson({ source: file, problems });
    const lines = problems.map(({ message }) =>
      `${printable(file)}: ${printable(message)}\n`
    );
    await host.stderr(lines.join(""));
  }
}

async function explain(
  session: Session,
  { json }: PolicyFlags,
  file: string,
): Promise<void> {
  const explanation = explainPolicy(await read(session, file));
  if (json) await session.printJson(explanation);
  else await session.host.stdout(explanationText(explanation));
}

function explanationText(explanation: PolicyExplanation): string {
  const { grants, notGranted, limits, isolation, notProtected } = explanation;
  const flags = explanation.denoFlags.map(shellQuote);
  const child = explanation.childFlags.map(shellQuote);
  const parts: readonly (readonly [string, readonly string[]])[] = [
    ["What it may do", grants],
    ["Not granted", notGranted],
    ["What it may use", limits],
    ["Where it runs", [isolation]],
    ["Not protected", notProtected],
    ["As flags of Deno", [
      ["deno run --no-prompt", ...flags].join(" "),
      child.length === 0
        ? "In a process of its own the guest gets no permission of Deno."
        : `In a process of its own the guest gets only ${child.join(" ")}.`,
      ...explanation.notNameable.map((each) =>
        `No flag can name ${shellQuote(each)}: it has a comma.`
      ),
    ]],
  ];
  return parts.filter(([, lines]) => lines.length > 0)
    .map(([title, lines]) =>
      `${title}:\n${lines.map((line) => `  ${printable(line)}\n`).join("")}`
    ).join("\n");
}

async function importManifest(
  session: Session,
  { json, dialect = "native" }: PolicyFlags,
  file: string,
): Promise<void> {
  const { host } = session;
  const { document, notes } = importExtismManifest(
    await bytesOf(session, file),
    { source: file, baseDirectory: dirname(file), dialect },
  );
  if (json) {
    const policy = JSON.parse(stringifyPolicy(document, "json"));
    return await session.printJson({ policy, notes });
  }
  await host.stdout(stringifyPolicy(document));
  const lines = notes.map(({ path, message }) =>
    `note: ${printable(path)}: ${printable(message)}\n`
  );
  await host.stderr(lines.join(""));
}

async function read(session: Session, file: string): Promise<PolicyDocument> {
  return parsePolicy(await bytesOf(session, file), {
    source: file,
    baseDirectory: dirname(file),
  });
}

async function bytesOf(session: Session, file: string): Promise<Uint8Array> {
  const { host } = session;
  return await readBytes(
    file,
    (path, maxBytes) =>
      path === STDIN ? host.readStdin(maxBytes) : host.readFile(path, maxBytes),
  );
}
