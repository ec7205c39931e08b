/** Installs with the options it is given, and prints what came of it, as JSON. */

import { installWasmtime } from "../../runtime/wasmtime/install.ts";

try {
  const installed = await installWasmtime(JSON.parse(Deno.args[0] ?? "{}"));
  // deno-lint-ignore no-console -- the test reads it
  console.log(JSON.stringify({ installed }));
} catch (error) {
  const { code, message } = error as { code?: string; message: string };
  // deno-lint-ignore no-console -- the test reads it
  console.log(JSON.stringify({ code: code ?? null, message }));
}
