import { buildApp, type Language } from "../../examples/apps/build.ts";

/** What of a test context is needed to skip. */
type Test = Deno.TestContext;

/**
 * Makes an app's module and gives the path of one of its manifests. Undefined,
 * and a step that is shown as ignored, where there is no compiler for it.
 */
export async function manifestOf(
  test: Test,
  language: Language,
  form: "http" | "tool" | "mcp",
): Promise<string | undefined> {
  if (await buildApp(language) === undefined) {
    await test.step({ name: "skipped: there is no Go", ignore: true, fn() {} });
    return undefined;
  }
  const apps = new URL("../../examples/apps/", import.meta.url);
  return new URL(`${language}/${form}.yaml`, apps).pathname;
}
