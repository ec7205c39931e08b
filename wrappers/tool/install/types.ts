/** A command of a directory: where it is, and what it is called. */
export interface InstalledName {
  /** The directory that it is in, one of `PATH` for instance. */
  readonly directory: string;
  /**
   * What it is called: letters, digits, `.`, `_` and `-`, at most 64, the first of
   * them a letter or a digit.
   */
  readonly name: string;
}

/** What `installTool` is given. */
export interface InstallToolOptions {
  /** Path of the manifest, which has a section `cli_tool`. */
  readonly manifest: string;
  /** The directory that the command is put in. It must be there. */
  readonly directory: string;
  /** What the command is called; as the manifest's `name`, if left out. */
  readonly name?: string;
  /**
   * Whether a command that is there is replaced.
   *
   * @default {false}
   */
  readonly force?: boolean;
  /**
   * The command line that the command starts: a path, a URL or `jsr:...`. The one
   * of this package and this version, if left out.
   */
  readonly cli?: string;
  /**
   * More arguments of `deno run`: `["--cert=ca.pem"]`.
   *
   * @default {[]}
   */
  readonly denoArgs?: readonly string[];
}

/** A tool that is installed as a command. */
export interface InstalledTool extends InstalledName {
  /** Path of the command. */
  readonly launcher: string;
  /** Path of its manifest, whose paths are absolute. */
  readonly manifest: string;
  /** SHA-256 of its module, in hexadecimal. */
  readonly sha256: string;
  /** Deno's permissions that it runs with, as flags. */
  readonly permissions: readonly string[];
}

/** What `uninstallTool` is given. */
export interface UninstallToolOptions extends InstalledName {
  /**
   * Whether a command that was changed since it was installed is removed too.
   *
   * @default {false}
   */
  readonly force?: boolean;
}
