/** What a tool is made from, read and checked once. */

import { quote } from "../../_text.ts";
import { Capabilities } from "../../security/capabilities.ts";
import type { SecurityPolicy } from "../../security/policy.ts";
import { checkWrapperOptions } from "../check_options.ts";
import { programPolicy } from "../program_policy.ts";
import { TOOL_DEFAULTS, TOOL_SCHEMA, WORKSPACE_DEFAULTS } from "./schema.ts";
import type { CliToolOptions } from "./types.ts";

/** The options of a tool, with all that was left out. */
export type ToolSettings =
  & CliToolOptions
  & Required<Pick<CliToolOptions, keyof typeof TOOL_DEFAULTS>>
  & { readonly policy: SecurityPolicy };

/**
 * Checks the options of a tool, and adds what was left out.
 *
 * @param options What the caller gave.
 * @returns A copy that nobody else can change.
 * @throws {TypeError} If they are wrong; says all that is.
 * @throws {SandboxError} With code `invalid-capability`.
 */
export function settingsOf(options: CliToolOptions): ToolSettings {
  const read = { ...options };
  checkWrapperOptions("cli_tool", read, TOOL_SCHEMA);
  const given = Object.fromEntries(
    Object.entries(read).filter(([, value]) => value !== undefined),
  ) as unknown as CliToolOptions;
  const all = { ...TOOL_DEFAULTS, ...given };
  const policy = policyOf(given);
  checkFiles(all.files, policy);
  return {
    ...all,
    policy,
    args: [...all.args],
    env: { ...all.env },
    files: copyFiles(all.files),
  };
}

function policyOf(options: CliToolOptions): SecurityPolicy {
  const { env = {}, workspace } = options;
  const pass = Object.keys(env);
  const policy = programPolicy(options, { arguments: true, pass });
  if (workspace === undefined) return policy;
  const { path, maxBytes } = { ...WORKSPACE_DEFAULTS, ...workspace };
  return policy.allowCapability(Capabilities.memory(path, { maxBytes }));
}

function copyFiles(
  files: Readonly<Record<string, string | Uint8Array>>,
): Record<string, string | Uint8Array> {
  return Object.fromEntries(
    Object.entries(files).map(([path, data]) => [
      path,
      typeof data === "string" ? data : data.slice(),
    ]),
  );
}

/** What would fail at each run fails at once. */
function checkFiles(
  files: Readonly<Record<string, unknown>>,
  policy: SecurityPolicy,
): void {
  const mounts = policy.find("filesystem")?.mounts ?? [];
  const isInMemory = (path: string) =>
    mounts.some((mount) =>
      "memory" in mount &&
      path.startsWith(mount.guest === "/" ? "/" : `${mount.guest}/`)
    );
  for (const [path, data] of Object.entries(files)) {
    if (typeof data !== "string" && !(data instanceof Uint8Array)) {
      throw new TypeError(
        `Cannot create cli_tool: files[${quote(path)}] is neither text nor ` +
          "bytes",
      );
    }
    if (isInMemory(path)) continue;
    throw new TypeError(
      `Cannot create cli_tool: the file ${quote(path)} lies in no mount in ` +
        "memory (give it a path below that of the workspace)",
    );
  }
}
