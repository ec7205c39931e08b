/** Directories of the host that a policy mounts, before anything is started. */

import { quote } from "./_text.ts";
import { SandboxError } from "./errors.ts";
import type { SecurityPolicy } from "./security/policy.ts";

/**
 * Says which directory of the host is not there, alike wherever a guest runs.
 *
 * @throws {SandboxError} With code `invalid-capability`.
 */
export async function checkMounts(policy: SecurityPolicy): Promise<void> {
  const { mounts = [] } = policy.find("filesystem") ?? {};
  for (const [index, mount] of mounts.entries()) {
    if (!("host" in mount)) continue;
    const why = await whyNoDirectory(mount.host);
    if (why === undefined) continue;
    const path = `mounts[${index}].host`;
    const problem = `${path} is ${quote(mount.host)}, and ${why}`;
    throw new SandboxError(
      "invalid-capability",
      `Cannot mount ${quote(mount.host)} at ${quote(mount.guest)}: ${why} ` +
        "(name a directory that is there)",
      { details: { capability: "filesystem", problem, path } },
    );
  }
}

async function whyNoDirectory(path: string): Promise<string | undefined> {
  // a guest's process may be let read what its host may not: nobody is asked
  const { state } = await Deno.permissions.query({ name: "read", path });
  if (state !== "granted") return undefined;
  try {
    const { isDirectory } = await Deno.stat(path);
    return isDirectory ? undefined : "it is no directory";
  } catch (error) {
    return error instanceof Deno.errors.NotFound
      ? "it does not exist"
      : undefined;
  }
}
