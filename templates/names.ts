/** Identifiers: names that a language takes as names, and nothing else. */

/** Reserved somewhere: a name that is free in one language only is a trap. */
const RESERVED: ReadonlySet<string> = new Set(
  (
    // ECMAScript and TypeScript
    "abstract any arguments as async await boolean break case catch class const " +
    "constructor continue debugger declare default delete do else enum eval " +
    "export extends false finally for from function get globalThis if " +
    "implements import in Infinity instanceof interface is keyof let module " +
    "namespace NaN never new null number object of package private protected " +
    "prototype public readonly return set static string super switch symbol " +
    "this throw true try type typeof undefined unique unknown using var void " +
    "while with yield __proto__ " +
    // C
    "auto bool char double extern float goto inline int long main register " +
    "restrict short signed sizeof struct typedef union unsigned volatile NULL " +
    // Rust
    "crate dyn fn gen impl loop macro match mod move mut pub ref self Self " +
    "trait unsafe use where " +
    // Go and Zig
    "chan defer fallthrough func go map nil range select append cap close copy " +
    "len make panic print println recover init align allowzero and anyframe " +
    "anytype asm callconv comptime errdefer error fn linksection noalias " +
    "nosuspend opaque or orelse packed resume suspend test threadlocal " +
    "unreachable usingnamespace volatile"
  ).split(" "),
);

/**
 * An identifier of all languages here.
 *
 * @param name A name.
 * @returns The same.
 * @throws {TypeError} If it is none, or means something already.
 */
export function identifier(name: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(name) || /^_*$/.test(name)) {
    throw new TypeError(
      `${JSON.stringify(name)} cannot be a name in code (take letters of ` +
        "ASCII, digits and _, a letter first, 64 at the most)",
    );
  }
  if (RESERVED.has(name)) {
    throw new TypeError(
      `${JSON.stringify(name)} means something in a language already (take ` +
        "another name)",
    );
  }
  return name;
}

/** `my_channel` or `my-channel` as `MyChannel`. */
export function pascal(name: string): string {
  return words(name).map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
}

/** `my_channel` as `myChannel`. */
export function camel(name: string): string {
  const all = pascal(name);
  return all.charAt(0).toLowerCase() + all.slice(1);
}

/** `my_channel` as `MY_CHANNEL`. */
export function constant(name: string): string {
  return words(name).join("_").toUpperCase();
}

/** `my_channel` as `my-channel`. */
export function kebab(name: string): string {
  return words(name).join("-").toLowerCase();
}

/** `my-channel` as `my_channel`. */
export function snake(name: string): string {
  return words(name).join("_").toLowerCase();
}

function words(name: string): readonly string[] {
  return name.split(/[^A-Za-z0-9]+/).filter((word) => word !== "");
}
