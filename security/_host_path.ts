/** Paths of the host, without the cost of loading `node:path`. */

interface NodePath {
  resolve(path: string): string;
}

/** The absolute path, with `.`, `..` and doubled slashes taken out. */
export function absolutePath(path: string): string {
  if (Deno.build.os === "windows") return nodePath().resolve(path);
  const from = path.startsWith("/") ? "" : Deno.cwd();
  const parts: string[] = [];
  for (const part of `${from}/${path}`.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** The last name of an absolute path; empty for the root. */
export function lastName(path: string): string {
  return path.slice(
    Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1,
  );
}

/** Loaded only on Windows: it takes Deno many milliseconds. */
function nodePath(): NodePath {
  const process: { getBuiltinModule(name: string): NodePath } = Reflect.get(
    globalThis,
    "process",
  );
  return process.getBuiltinModule("node:path");
}
