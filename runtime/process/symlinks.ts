/**
 * Makes symbolic links for a guest in a process: Deno lets nobody make any
 * whose permissions are scoped.
 *
 * @module
 */

import { SandboxError } from "../../errors.ts";
import type {
  Capability,
  FilesystemCapability,
  HostMount,
} from "../../security/types.ts";
import { WasiError } from "../wasi/errno.ts";
import { HostTree } from "../wasi/fs/host_tree.ts";
import { ProtocolError } from "./frames.ts";
import type { Answer } from "./messages.ts";

/** Makes symbolic links below the mounts in which a guest may make them. */
export class Symlinks {
  readonly #mounts: ReadonlyMap<string, Required<HostMount>>;
  readonly #isAlone: boolean;

  /**
   * Constructs it.
   *
   * @param capabilities What is granted.
   * @param isAlone Whether the child sees no files but those that are granted.
   */
  constructor(capabilities: readonly Capability[], isAlone: boolean) {
    this.#isAlone = isAlone;
    this.#mounts = new Map(
      hostMounts(capabilities).filter(mayLink).map((
        mount,
      ) => [mount.guest, mount]),
    );
  }

  /**
   * Throws if a guest may make links and this program may not.
   *
   * @param runtime Name of the runtime, for the message.
   * @throws {SandboxError} With code `unsupported`.
   */
  async require(runtime: string): Promise<void> {
    if (this.#mounts.size === 0) return;
    for (const name of ["read", "write"] as const) {
      const { state } = await Deno.permissions.query({ name });
      if (state !== "granted") throw notAllowed(name, runtime);
    }
  }

  /**
   * Makes a link, after the same checks as the child's.
   *
   * @param question Which; trusted in nothing.
   * @returns What the child is told.
   * @throws {ProtocolError} If the child may not ask so.
   */
  make(
    { mount, target, path }: {
      readonly mount: string;
      readonly target: string;
      readonly path: readonly string[];
    },
  ): Omit<Answer, "seq"> {
    const host = this.#mounts.get(mount);
    if (host === undefined || path.length === 0 || !path.every(isName)) {
      throw new ProtocolError("a link where it may make none");
    }
    // a child that lies can move a link, and Deno lets it through any link:
    // one that never leads upwards stays inside wherever it is
    if (!this.#isAlone && target.split(/[\\/]/).includes("..")) {
      return { problem: "PERM" };
    }
    const tree = new HostTree({ root: host.host, symlinks: "within" });
    try {
      tree.symlink(target, path);
      return {};
    } catch (error) {
      if (error instanceof WasiError) return { problem: error.errno };
      return { problem: "IO" };
    } finally {
      tree[Symbol.dispose]();
    }
  }
}

/** The mounts of the host directories that are granted. */
function hostMounts(
  capabilities: readonly Capability[],
): readonly Required<HostMount>[] {
  return capabilities.flatMap((capability) => {
    if (capability.type !== "filesystem") return [];
    const { mounts } = capability as FilesystemCapability;
    return mounts.filter((mount): mount is Required<HostMount> =>
      "host" in mount
    );
  });
}

function mayLink({ access, symlinks }: Required<HostMount>): boolean {
  return access === "read-write" && symlinks === "within";
}

/** A name of one segment, as no honest child sends any other. */
function isName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !/[/\0]/.test(name);
}

function notAllowed(
  name: string,
  runtime: string,
): SandboxError<"unsupported"> {
  return new SandboxError(
    "unsupported",
    'Cannot grant symlinks "within" with access "read-write" to a process: ' +
      "its host makes the links, and Deno wants unscoped permissions for it " +
      `(pass --allow-${name} without paths, or say symlinks: "refuse")`,
    { details: { runtime, feature: 'symlinks "within"' } },
  );
}
