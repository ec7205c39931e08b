/** The case that type-checks what a template renders. */

import { writeProject } from "../templates/write_project.ts";
import {
  check,
  rendered,
  type TemplateCase,
  type TemplateSubject,
  withFreeTexts,
} from "./_template_case.ts";

/** A text that breaks out of whatever is not closed well. */
const ODD = "*/ ${evil()} \" ' ` \\ \u2028 //";

/** The case that type-checks what a template renders. */
export const TYPE_CHECK_CASE: TemplateCase = {
  name: "render() gives code that type-checks",
  async run(subject) {
    for (const config of subject.configs) {
      await checkTypes(subject, config);
      const odd = withFreeTexts(subject, config, ODD);
      await checkTypes(subject, odd);
    }
  },
};

async function checkTypes(
  subject: TemplateSubject,
  config: Readonly<Record<string, unknown>>,
): Promise<void> {
  const files = await rendered(subject, config, "a good config");
  const scripts = [...files?.keys() ?? []].filter((path) =>
    path.endsWith(".ts")
  );
  if (files === undefined || scripts.length === 0) return;
  const folder = await Deno.makeTempDir();
  try {
    await writeProject(files, folder);
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--quiet", ...scripts],
      cwd: folder,
      stdout: "null",
      stderr: "piped",
    }).output();
    check(success, new TextDecoder().decode(stderr));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
