/** Prints what `findLibrary()` finds, as JSON; started by tests. */

import { findLibrary } from "../../runtime/wasmtime/find.ts";

const [library] = Deno.args;
try {
  const found = await findLibrary(library === undefined ? {} : { library });
  // deno-lint-ignore no-console -- the test reads it
  console.log(JSON.stringify({ found }));
} catch (error) {
  const { code, message } = error as { code?: string; message: string };
  // deno-lint-ignore no-console -- the test reads it
  console.log(JSON.stringify({ code: code ?? null, message }));
}
