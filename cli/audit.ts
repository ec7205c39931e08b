/**
 * The command `audit`: learns policies, and verifies audit files.
 *
 * @module
 */

// deno-lint-ignore-file no-explicit-any -- `any` switches cliffy's inference off

import { Command, ValidationError } from "@cliffy/command";
import { printable, quote, reasonOf } from "../_text.ts";
import { auditKeyId, generateAuditKeys } from "../security/audit/keys.ts";
import {
  auditFiles,
  type AuditVerification,
  verifyAudit,
  type VerifyAuditOptions,
} from "../security/audit/verify.ts";
import { cannotRead, cannotWrite } from "./file_errors.ts";
import { GUEST_FLAGS, withGrants } from "./guest_flags.ts";
import { learn, type LearnFlags } from "./learn.ts";
import { SHARED_FLAGS, withLimits } from "./limits.ts";
import { nameType, noArguments } from "./positional.ts";
import type { Session } from "./session.ts";
import { type Style, styleOf } from "./style.ts";

const FLAGS = [...SHARED_FLAGS, ...GUEST_FLAGS, "--learn", "--whole-mounts"];

const VERIFY_FLAGS = ["--key", "--start", "--closed", "--json", "--help"];

/** Longest key that is read, in bytes. */
const MAX_KEY_BYTES = 65_536;

const DESCRIPTION = `Learn what a program needs, or verify audit files.

With --learn a WASI program runs under what the flags grant, as with run, and
the least policy that it needed of that is written to a new file. A run under
that file goes the same way. What this run did not do is not granted.`;

const VERIFY = `Verify audit files that have a hash chain.

Of one file its older ones are verified too: audit.2.jsonl, audit.1.jsonl and
audit.jsonl. Several files are taken as they are given, the oldest first. Ends
with exit code 1 if something is wrong.

Lines that were cut off at the end are found with --closed, and older files that
are gone with --start. Without --key, all of it can be forged as a whole.`;

const KEYGEN = `Make a pair of keys to sign audit files with.

Writes NAME.pem, which must be kept secret, and NAME.pub.pem, to verify with.
Neither file may be there already.`;

/**
 * Makes the command `audit`.
 *
 * @param session The run of the command line.
 * @returns The command.
 */
export function auditCommand(session: Session): Command<any> {
  const command: Command<any> = new Command<any>()
    .description(DESCRIPTION)
    .type("name", nameType(FLAGS))
    .arguments("[file:name]", ["Path or URL of the module, to learn from."])
    .option("--learn <policy:string>", "Write a policy: .yaml or .json.")
    .option("--whole-mounts", "Grant mounts as a whole, or not at all.");
  return withGrants(withLimits(command))
    .example(
      "Learn",
      "wasm-sandbox audit --learn report.yaml report.wasm --dir /logs::./logs",
    )
    .example(
      "Verify",
      "wasm-sandbox audit verify audit.jsonl --key audit.pub.pem",
    )
    .action(async function (
      this: Command<any>,
      flags: Partial<LearnFlags>,
      file?: string,
    ) {
      const { learn: policy } = flags;
      if (policy === undefined || file === undefined) {
        throw new ValidationError(
          "Say what to do: --learn POLICY FILE, verify, or keygen",
        );
      }
      const program = { file, args: this.getLiteralArgs() };
      await learn(session, { ...flags, learn: policy }, program);
    })
    .command("verify", verifyCommand(session))
    .command("keygen", keygenCommand(session))
    .reset() as Command<any>;
}

/** The values of the flags of `audit verify`. */
interface VerifyFlags {
  readonly key?: string;
  readonly start?: boolean;
  readonly closed?: boolean;
  readonly json?: boolean;
}

function verifyCommand(session: Session): Command<any> {
  return new Command<any>()
    .description(VERIFY)
    .type("name", nameType(VERIFY_FLAGS))
    .arguments("<files...:name>", ["The files; of one, its older ones too."])
    .option("--key <file:string>", "Ed25519 public key that must have signed.")
    .option("--start", "The chain must begin with its first line.")
    .option("--closed", "The log must have been closed.")
    .example(
      "Verify all of it",
      "wasm-sandbox audit verify audit.jsonl --key audit.pub.pem --start --closed",
    )
    .action(
      async function (
        this: Command<any>,
        flags: VerifyFlags,
        ...files: string[]
      ) {
        noArguments(this.getLiteralArgs());
        await verify(session, flags, files);
      },
    );
}

async function verify(
  session: Session,
  { key, start = false, closed = false, json = false }: VerifyFlags,
  files: readonly string[],
): Promise<void> {
  const found = await verifyFiles(files, {
    requireStart: start,
    requireClosed: closed,
    ...(key === undefined ? {} : { publicKey: await readKey(session, key) }),
  });
  if (!found.ok) session.exitCode = 1;
  if (json) await session.printJson(found);
  else {
    const style = styleOf(session.host);
    const text = verificationText(found, key !== undefined, style);
    await session.host.stdout(text);
  }
}

async function verifyFiles(
  files: readonly string[],
  options: VerifyAuditOptions,
): Promise<AuditVerification> {
  const paths: string[] = [];
  for (const file of files) {
    try {
      const all = await auditFiles(file);
      // nothing, or an empty file, is for the verification to judge
      if (all.length === 0) await Deno.stat(file);
      paths.push(...(files.length === 1 && all.length > 0 ? all : [file]));
    } catch (cause) {
      throw cannotRead("the audit log", file, cause);
    }
  }
  return await verifyAudit(paths, options);
}

async function readKey({ host }: Session, path: string): Promise<string> {
  const bytes = await host.readFile(path, MAX_KEY_BYTES).catch((cause) => {
    throw cannotRead("the key", path, cause);
  });
  const text = new TextDecoder().decode(bytes.subarray(0, MAX_KEY_BYTES));
  try {
    auditKeyId(text);
  } catch (cause) {
    throw new ValidationError(
      `Option "--key": ${quote(path)}: ${reasonOf(cause)}`,
      { cause },
    );
  }
  return text;
}

function verificationText(
  found: AuditVerification,
  hasKey: boolean,
  style: Style,
): string {
  const { lines, firstIndex, signatures, unsigned, dropped } = found;
  const facts = [
    found.firstBad === undefined
      ? style.good("good")
      : `${style.bad("bad:")} ${
        placeOf(found.firstBad)
      }: ${found.firstBad.reason}`,
    `lines: ${lines}` +
    (firstIndex > 1 ? `, from ${firstIndex} of the chain on` : ""),
    hasKey
      ? `signatures: ${signatures}, and ${unsigned} lines after the last`
      : "signatures: not looked at (no --key)",
    `dropped events: ${dropped}`,
    found.closed
      ? "closed: yes"
      : "closed: no, so lines may have been cut off at the end",
  ];
  return `${facts.join("\n")}\n`;
}

function placeOf(
  { file, line }: { readonly file: string; readonly line: number },
): string {
  return line === 0
    ? printable(file) || "nothing"
    : `${printable(file)}:${line}`;
}

function keygenCommand(session: Session): Command<any> {
  return new Command<any>()
    .description(KEYGEN)
    .type("name", nameType(["--json", "--help"]))
    .arguments("<name:name>", ["Path of the files, without .pem."])
    .example("Make", "wasm-sandbox audit keygen audit")
    .action(async function (
      this: Command<any>,
      { json }: { readonly json?: true },
      name: string,
    ) {
      noArguments(this.getLiteralArgs());
      const { privateKey, publicKey } = generateAuditKeys();
      const files = [`${name}.pem`, `${name}.pub.pem`] as const;
      await writeNew(files[0], { text: privateKey, mode: 0o600 });
      try {
        await writeNew(files[1], { text: publicKey, mode: 0o644 });
      } catch (error) {
        await Deno.remove(files[0]);
        throw error;
      }
      const keyId = auditKeyId(publicKey);
      if (json) await session.printJson({ keyId, files });
      else {
        const names = files.map(printable).join("\n");
        await session.host.stdout(`key ${keyId}\n${names}\n`);
      }
    });
}

async function writeNew(
  path: string,
  { text, mode }: { readonly text: string; readonly mode: number },
): Promise<void> {
  try {
    await Deno.writeTextFile(path, text, { createNew: true, mode });
  } catch (cause) {
    throw cannotWrite(path, cause);
  }
}
