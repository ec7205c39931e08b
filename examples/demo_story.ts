/**
 * One real program under one policy: what it may do it does, what it may not
 * is refused with a reason, all of it is on record, and from the record comes
 * the least policy that it needs.
 *
 * @module
 */

import {
  AuditRecorder,
  Capabilities,
  type Capability,
  learnPolicy,
  Sandbox,
  SecurityPolicy,
} from "../mod.ts";

const PROGRAM = new URL("programs/c/logreport.wasm", import.meta.url);

const LOGS = `2026-03-01T12:00:00Z INFO started
2026-03-01T12:00:07Z WARN the queue is long
2026-03-01T12:00:09Z ERROR no answer from the printer
`;

/**
 * Tells the story.
 *
 * @param print Takes a line.
 * @returns Whether all came as it should.
 */
export async function story(print: (line: string) => void): Promise<boolean> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/logs`);
    await Deno.mkdir(`${folder}/out`);
    await Deno.writeTextFile(`${folder}/logs/office.log`, LOGS);
    await Deno.writeTextFile(`${folder}/secret.txt`, "not for guests");
    const isReported = await report(folder, print);
    const isRefused = await snoop(folder, print);
    return await learn(folder, print) && isReported && isRefused;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What the program needs, and no more. */
function grants(folder: string): Capability[] {
  return [
    ...Capabilities.program(),
    Capabilities.environment({ variables: { REPORT_TITLE: "Office" } }),
    Capabilities.filesystem({
      mounts: [
        { guest: "/logs", host: `${folder}/logs` },
        { guest: "/out", host: `${folder}/out`, access: "read-write" },
      ],
    }),
  ];
}

/** Allowed: a C program reads logs and writes a report. */
async function report(
  folder: string,
  print: (line: string) => void,
): Promise<boolean> {
  await using sandbox = await Sandbox.create({
    module: PROGRAM,
    policy: grants(folder),
  });
  print(`It runs in: ${sandbox.isolation}. Its policy:`);
  for (const sentence of sandbox.policy.describe()) print(`  ${sentence}`);
  const { exitCode, stdout } = await sandbox.execute();
  print(`It ends with exit code ${exitCode}, and says:`);
  for (const line of linesOf(stdout)) print(`  ${line}`);
  const text = await Deno.readTextFile(`${folder}/out/report.json`);
  print(`It wrote report.json, of ${text.length} bytes.`);
  return exitCode === 0 && JSON.parse(text).total.ERROR === 1;
}

/** Denied: the same program reaches for what it was not given. */
async function snoop(
  folder: string,
  print: (line: string) => void,
): Promise<boolean> {
  await using sandbox = await Sandbox.create({
    module: PROGRAM,
    policy: grants(folder),
  });
  const { exitCode, stdout } = await sandbox.execute(["--snoop"]);
  const attempts = linesOf(stdout).filter((line) => line.startsWith("snoop:"));
  print("\nThe same program, told to snoop:");
  for (const attempt of attempts) print(`  ${attempt}`);
  const denied = sandbox.audit.events()
    .filter(({ decision }) => decision === "denied")
    .map(({ operation, resource, via = "", reason = "" }) =>
      `${`${operation} ${resource}`.trim()} by ${via}: ${reason}`
    );
  print("The audit has, of what was denied:");
  for (const line of new Set(denied)) {
    const times = denied.filter((each) => each === line).length;
    print(`  ${line}${times > 1 ? ` (${times} times)` : ""}`);
  }
  return exitCode === 0 && attempts.length > 0 && denied.length > 0 &&
    attempts.every((line) => line.includes("refused"));
}

/** Learned: what it needed of a policy that grants too much. */
async function learn(
  folder: string,
  print: (line: string) => void,
): Promise<boolean> {
  const ceiling = SecurityPolicy.from([
    ...Capabilities.program(),
    Capabilities.environment({ variables: { REPORT_TITLE: "Office" } }),
    Capabilities.directory(folder, "/", "read-write"),
  ]);
  const recorder = new AuditRecorder();
  {
    await using sandbox = await Sandbox.create({
      module: PROGRAM,
      policy: ceiling,
      audit: recorder,
    });
    await sandbox.execute();
  }
  const { capabilities } = learnPolicy(recorder, ceiling);
  print("\nLearned from a run with the whole folder granted:");
  for (const capability of capabilities) {
    const text = JSON.stringify(capability).replaceAll(folder, "…");
    print(`  ${text}`);
  }
  await using sandbox = await Sandbox.create({
    module: PROGRAM,
    policy: SecurityPolicy.from(capabilities),
  });
  const { exitCode } = await sandbox.execute();
  print(`Under that policy it ends with exit code ${exitCode}.`);
  return exitCode === 0 && !JSON.stringify(capabilities).includes(
    '"guest":"/",',
  );
}

function linesOf(bytes: Uint8Array): string[] {
  return new TextDecoder().decode(bytes).trimEnd().split("\n");
}
