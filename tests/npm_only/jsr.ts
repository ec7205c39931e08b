/**
 * Whether JSR can be had on this network.
 *
 * @module
 */

/**
 * The environment variable that answers in place of the network: `yes` or
 * `no`. It is also how a process tells those it starts what it found out.
 */
export const JSR_VARIABLE = "WASM_SANDBOX_JSR";

/** Longer than a slow network needs, shorter than patience. */
const TIMEOUT_MS = 2_000;

/**
 * Asks once whether JSR answers.
 *
 * @param variable Looks up a variable, in the environment by default.
 * @returns What {@linkcode JSR_VARIABLE} says, else whether JSR sent the
 * description of a package within two seconds.
 */
export async function jsrAnswers(
  variable: (name: string) => string | undefined = (name) => Deno.env.get(name),
): Promise<boolean> {
  const said = variable(JSR_VARIABLE);
  if (said === "yes" || said === "no") return said === "yes";
  // Deno's own variable for a mirror.
  const base = variable("JSR_URL") ?? "https://jsr.io/";
  try {
    const response = await fetch(new URL("/@std/assert/meta.json", base), {
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    // A portal that answers everything with a page of its own is not JSR.
    const { name } = await response.json();
    return response.ok && name === "assert";
  } catch {
    return false;
  }
}

/**
 * The environment in which a child knows whether JSR answers.
 *
 * @param answers Whether it does.
 * @returns Variables for the child.
 */
export function jsrEnvironment(
  answers: "yes" | "no",
): Record<string, string> {
  if (answers === "yes") return { [JSR_VARIABLE]: answers };
  // Where a network swallows packets, each look-up would hang: nothing listens
  // at port 0, so they fail at once.
  return { [JSR_VARIABLE]: answers, JSR_URL: "http://127.0.0.1:0/" };
}
