/** Where a project has a module from, if it has no guest of its own. */

/** What an address is made of; others could mean something to a shell. */
const HOST = /^(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d+)?$/;

/** A place of a module, and what it takes to read it. */
export interface ModulePlace {
  /** Whether it is a URL; otherwise it is a path. */
  readonly isUrl: boolean;
  /** Permissions to read it. */
  readonly flags: readonly string[];
}

/**
 * Tells where a module is.
 *
 * @param module Path or URL; null, for a guest of the project's own.
 * @returns The place.
 * @throws {TypeError} If it is a URL that cannot be read.
 */
export function modulePlace(module: unknown): ModulePlace {
  if (module === null) return { isUrl: false, flags: ["--allow-read=."] };
  const text = String(module);
  // a path may be anywhere, and begin with a drive
  if (!/^[a-z][a-z0-9+.-]+:\/\//i.test(text)) return path(false);
  if (!URL.canParse(text)) throw wrong(text);
  const { protocol, host, username, password } = new URL(text);
  if (protocol === "file:" && host === "") return path(true);
  const isWeb = protocol === "https:" || protocol === "http:";
  if (!isWeb || !HOST.test(host) || username + password !== "") {
    throw wrong(text);
  }
  return { isUrl: true, flags: ["--allow-read=.", `--allow-net=${host}`] };
}

function path(isUrl: boolean): ModulePlace {
  return { isUrl, flags: ["--allow-read"] };
}

function wrong(text: string): TypeError {
  return new TypeError(
    `module is ${JSON.stringify(text)}, expected a path, or a URL of https, ` +
      "http or file whose host is a plain name",
  );
}

/**
 * Joins permissions: Deno takes each flag once.
 *
 * @param flags The flags.
 * @returns The same, with one for the network.
 */
export function joined(flags: readonly string[]): readonly string[] {
  const net = "--allow-net=";
  const hosts = flags.filter((flag) => flag.startsWith(net))
    .map((flag) => flag.slice(net.length));
  const others = flags.filter((flag) => !flag.startsWith(net));
  return hosts.length === 0 ? others : [...others, net + hosts.join(",")];
}
