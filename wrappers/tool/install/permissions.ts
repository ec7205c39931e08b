/** Deno's permissions that an installed tool runs with. */

import { quote } from "../../../_text.ts";
import { explainPolicy } from "../../../security/policy_file/explain.ts";
import { SecurityPolicy } from "../../../security/policy.ts";
import type { CliToolOptions } from "../types.ts";
import type { Places } from "./places.ts";

/** Programs of Linux that a process of its own is started by, if it has them. */
const TOOLS = ["prlimit", "setpriv", "unshare", "ldd"];

/**
 * The flags of `deno run` that a tool needs, and no more.
 *
 * @param options What the tool is made from.
 * @param isolation Where it runs.
 * @param places Where it lies.
 * @returns The flags.
 * @throws {TypeError} If no flag can say it.
 */
export function permissionFlags(
  { policy = [] }: CliToolOptions,
  isolation: "inline" | "process",
  { folder }: Places,
): readonly string[] {
  const granted = policy instanceof SecurityPolicy
    ? policy
    : SecurityPolicy.from(policy);
  const { denoFlags, notNameable } = explainPolicy({
    policy: granted,
    limits: {},
  });
  const [unnameable] = /[,\r\n]/.test(folder) ? [folder] : notNameable;
  if (unnameable !== undefined) {
    throw new TypeError(
      `Cannot install a tool that needs ${quote(unnameable)}: Deno takes no ` +
        "comma and no line break in a permission (rename it)",
    );
  }
  const flags = [`--allow-read=${folder}`, ...denoFlags];
  if (isolation === "inline") return flags;
  const programs = Deno.build.os === "linux" ? TOOLS : [];
  const run = `--allow-run=${[Deno.execPath(), ...programs].join(",")}`;
  // the host makes a process' symbolic links, which Deno allows everywhere or
  // nowhere
  return makesLinks(granted)
    ? [
      ...flags.filter((flag) => !/^--allow-(?:read|write)=/.test(flag)),
      "--allow-read",
      "--allow-write",
      run,
    ]
    : [...flags, run];
}

function makesLinks(policy: SecurityPolicy): boolean {
  return (policy.find("filesystem")?.mounts ?? []).some((mount) =>
    "host" in mount && mount.access === "read-write" &&
    mount.symlinks === "within"
  );
}
