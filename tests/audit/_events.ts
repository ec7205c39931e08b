import type { AuditEvent } from "../../security/types.ts";

/** An event that was allowed: a file that is read, unless told otherwise. */
export function event(changes: Partial<AuditEvent> = {}): AuditEvent {
  return Object.freeze({
    sequence: 1,
    time: "2030-01-02T03:04:05.678Z",
    sandbox: "one",
    decision: "allowed",
    operation: "filesystem.read",
    capability: "filesystem",
    resource: "/data/a.txt",
    via: "path_open",
    ...changes,
  });
}

/** Events with the numbers from 1 on. */
export function events(count: number): AuditEvent[] {
  return Array.from(
    { length: count },
    (_, index) => event({ sequence: index + 1 }),
  );
}

/** A folder that is gone after the test. */
export async function folder(): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.makeTempDir();
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/** The lines of a file. */
export async function linesOf(path: string): Promise<string[]> {
  return (await Deno.readTextFile(path)).split("\n").slice(0, -1);
}
