/**
 * The processes that a process has started, and those that these have; none
 * where the system does not tell as Linux does.
 */
export async function descendants(pid: number): Promise<number[]> {
  if (Deno.build.os !== "linux") return [];
  const parents = new Map<number, number>();
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = await Deno.readTextFile(`/proc/${name}/stat`);
      const [, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      parents.set(Number(name), Number(parent));
    } catch {
      // it has ended meanwhile
    }
  }
  const found = [pid];
  for (const each of found) {
    for (const [child, parent] of parents) {
      if (parent === each) found.push(child);
    }
  }
  return found.slice(1);
}

/** Whether a process runs; one that has ended and is not waited for does not. */
export function isAlive(pid: number): boolean {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return stat.slice(stat.lastIndexOf(")") + 2)[0] !== "Z";
  } catch {
    return false;
  }
}
