/**
 * The capability `filesystem`: files below mounts.
 *
 * @module
 */

import { quote } from "../_text.ts";
import { union } from "./_data.ts";
import { absolutePath } from "./_host_path.ts";
import { type Input, readCapability } from "./_parse.ts";
import type {
  CapabilityKind,
  DenoPermissions,
  FilesystemCapability,
  Mount,
} from "./types.ts";

/** Longest path of a mount, in bytes of UTF-8. */
const MAX_PATH_BYTES = 4_096;

/** What a memory mount may hold, in bytes, unless its capability says. */
const DEFAULT_MAX_BYTES = 16_777_216;

/** Most that a memory mount may hold, in bytes. */
const LARGEST_MAX_BYTES = 4_294_967_296;

/** A segment that is empty, `.` or `..`, or a NUL. */
const ODD_PATH = /\0|\/\.{0,2}(?:\/|$)/;

const SLASH = 47;

const ACCESS = {
  description: "Whether it may only read, or write too.",
  enum: ["read", "read-write"],
} as const;

const SHARED_PROPERTIES = {
  guest: {
    type: "string",
    pattern: "^/",
    description: "Absolute path that the guest sees it under.",
  },
  symlinks: {
    enum: ["refuse", "within"],
    default: "refuse",
    description: "Whether links that stay within the mount work.",
  },
} as const;

/**
 * Grants files below mounts: directories of the host, and trees in memory. A
 * guest's path belongs to the mount with the longest path that it is below,
 * segment by segment; a mount within another hides what is beneath it.
 *
 * Operations: `read` and `write` of an absolute path as the guest sees it,
 * without `.`, `..`, empty segments and a slash at its end. What symbolic links
 * make of a path is for the one who opens it to resolve.
 */
export const filesystemKind: CapabilityKind<FilesystemCapability> = {
  type: "filesystem",
  actions: ["read", "write"],
  schema: {
    type: "object",
    description: "Grants files below mounts.",
    properties: {
      type: { const: "filesystem" },
      mounts: {
        type: "array",
        minItems: 1,
        description: "What the guest sees. No two have the same guest path.",
        items: {
          oneOf: [
            {
              type: "object",
              description: "A directory of the host.",
              properties: {
                ...SHARED_PROPERTIES,
                access: { ...ACCESS, default: "read" },
                host: {
                  type: "string",
                  minLength: 1,
                  description: "Path of the directory.",
                },
              },
              required: ["guest", "host"],
              additionalProperties: false,
            },
            {
              type: "object",
              description: "A tree in memory.",
              properties: {
                ...SHARED_PROPERTIES,
                access: { ...ACCESS, default: "read-write" },
                memory: { const: true },
                maxBytes: {
                  description: "Most bytes that it holds.",
                  type: "integer",
                  minimum: 1,
                  maximum: LARGEST_MAX_BYTES,
                  default: DEFAULT_MAX_BYTES,
                },
              },
              required: ["guest", "memory"],
              additionalProperties: false,
            },
          ],
        },
      },
    },
    required: ["type", "mounts"],
    additionalProperties: false,
  },
  notProtected: [
    "Other programs of this machine that write to a mounted directory can " +
    "change under the guest what it reads there.",
    "What a guest writes into a directory of the host is as hostile as the " +
    "guest: do not run it, and read it with care.",
    "A directory that holds /proc, /sys or /dev of the host gives away far " +
    "more than files: do not mount one.",
    "How long a file operation takes tells a guest of the host's load.",
  ],

  parse(input) {
    const fields = readCapability("filesystem", input, ["mounts"]);
    const seen = new Set<string>();
    const mounts = fields.mounts.list((item) => {
      const mount = parseMount(item);
      if (seen.has(mount.guest)) {
        throw item.error(
          `has the guest path ${quote(mount.guest)}, which is mounted already`,
        );
      }
      seen.add(mount.guest);
      return mount;
    }, 1);
    return Object.freeze({ type: "filesystem", mounts });
  },

  permits({ mounts }, { action, resource }) {
    const mount = findMount(mounts, resource);
    if (mount === undefined) return false;
    return action === "read" ||
      action === "write" && mount.access === "read-write";
  },

  combine(granted, added) {
    const mounts = union(granted.mounts, added.mounts);
    return filesystemKind.parse({ type: "filesystem", mounts });
  },

  denoPermissions({ mounts }): DenoPermissions {
    const read: string[] = [];
    const write: string[] = [];
    for (const mount of mounts) {
      if (!("host" in mount)) continue;
      read.push(mount.host);
      if (mount.access === "read-write") write.push(mount.host);
    }
    return { read, write };
  },

  describe({ mounts }) {
    return mounts.map((mount) => {
      const what = mount.access === "read" ? "read" : "read and write";
      const where = "host" in mount
        ? `the host's directory ${quote(mount.host)}, seen as ` +
          quote(mount.guest)
        : `${quote(mount.guest)} in memory, at most ${mount.maxBytes} bytes`;
      const links = mount.symlinks === "refuse"
        ? "symbolic links are refused"
        : "symbolic links work as long as they stay within it";
      return `It may ${what} files below ${where}; ${links}.`;
    });
  },
};

function parseMount(item: Input): Mount {
  const { guest, host, memory, access, symlinks, maxBytes } = item.fields([
    "guest",
    "host",
    "memory",
    "access",
    "symlinks",
    "maxBytes",
  ]);
  if (host.given === memory.given) {
    throw item.error('must have either "host" or "memory", and not both');
  }
  const path = parseGuestPath(guest);
  const links = symlinks.choice(["refuse", "within"], "refuse");
  if (host.given) {
    if (maxBytes.given) throw maxBytes.error("is for mounts in memory only");
    return Object.freeze({
      guest: path,
      host: parseHostPath(host),
      access: access.choice(["read", "read-write"], "read"),
      symlinks: links,
    });
  }
  if (!memory.boolean(false)) throw memory.error("must be true");
  return Object.freeze({
    guest: path,
    memory: true,
    access: access.choice(["read", "read-write"], "read-write"),
    symlinks: links,
    maxBytes: maxBytes.integer({
      min: 1,
      max: LARGEST_MAX_BYTES,
      fallback: DEFAULT_MAX_BYTES,
    }),
  });
}

function parseGuestPath(input: Input): string {
  const path = input.name();
  if (!path.startsWith("/")) {
    throw input.error(`must be an absolute path, not ${quote(path)}`);
  }
  if (path !== "/" && ODD_PATH.test(path)) {
    throw input.error(
      `must have no "." and "..", no empty segment and no slash at its end: ` +
        quote(path),
    );
  }
  if (path.includes("\\")) {
    throw input.error(`must not hold a backslash: ${quote(path)}`);
  }
  checkLength(input, path);
  return path;
}

/** Absolute from here on: another process has another current directory. */
function parseHostPath(input: Input): string {
  const text = input.text();
  if (text === "") throw input.error("must not be empty");
  const path = absolutePath(text);
  checkLength(input, path);
  return path;
}

function checkLength(input: Input, path: string): void {
  if (new TextEncoder().encode(path).length <= MAX_PATH_BYTES) return;
  throw input.error(`must have at most ${MAX_PATH_BYTES} bytes`);
}

/** Finds the mount that a guest's path belongs to. */
function findMount(
  mounts: readonly Mount[],
  path: string,
): Mount | undefined {
  if (path.charCodeAt(0) !== SLASH) return undefined;
  if (path.length > 1 && ODD_PATH.test(path)) return undefined;
  let found: Mount | undefined;
  for (const mount of mounts) {
    if (found !== undefined && found.guest.length > mount.guest.length) {
      continue;
    }
    if (isBelow(path, mount.guest)) found = mount;
  }
  return found;
}

function isBelow(path: string, guest: string): boolean {
  return guest.length === 1 ||
    path.startsWith(guest) && (path.length === guest.length ||
        path.charCodeAt(guest.length) === SLASH);
}
