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
 * Tells whether JSR can be had.
 *
 * @returns What {@linkcode JSR_VARIABLE} says, else what JSR answers.
 */
export async function hasJsr(): Promise<boolean> {
  const said = Deno.env.get(JSR_VARIABLE);
  if (said === "yes" || said === "no") return said === "yes";
  // Deno's own variable for a mirror.
  return await answers(Deno.env.get("JSR_URL") ?? "https://jsr.io/");
}

/**
 * Asks JSR once.
 *
 * @param base The address of JSR or of a mirror.
 * @returns Whether the description of a package came within two seconds.
 */
export async function answers(base: string): Promise<boolean> {
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
