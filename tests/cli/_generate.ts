/** What the tests of `generate` have in common. */

import { HandlebarsTemplate, TemplateFactory } from "../../templates/mod.ts";
import { type Outcome, run, type World } from "./_run.ts";

export const GREETING = new HandlebarsTemplate({
  name: "greeting_page",
  description: "A page that greets.",
  schema: {
    type: "object",
    properties: {
      name: { type: "string", minLength: 1, description: "What it is called." },
      port: {
        type: "integer",
        minimum: 1,
        maximum: 65_535,
        default: 8_000,
        description: "Port that it listens on.",
      },
      mood: { enum: ["glad", "sad"], description: "How it greets." },
      loud: { type: "boolean", default: false },
      memory: { type: "integer", format: "bytes", default: 65_536 },
      guests: { type: "array", items: { type: "string" }, default: [] },
      module: { type: "string", format: "module", default: "" },
      link: { type: "string", format: "path", default: "" },
      limits: {
        type: "object",
        properties: { timeoutMs: { type: "integer", format: "milliseconds" } },
        additionalProperties: false,
        default: {},
      },
    },
    required: ["name", "mood"],
    additionalProperties: false,
  },
  files: {
    "main.ts":
      "export const name = {{literal name}};\nexport const port = {{literal port}};\n",
    "sub/config.json":
      '{ "mood": {{literal mood}}, "loud": {{literal loud}}, "memory": {{literal memory}}, "guests": {{literal guests}}, "link": {{literal link}}, "module": {{literal module}} }\n',
  },
  next: ({ mood }) => ["deno task start", `Be ${mood}.`],
});

export function templates(): TemplateFactory {
  return new TemplateFactory().register("greeting_page", () => GREETING);
}

/** Generates in a folder of its own, which is empty. */
export async function generate(
  args: (folder: string) => readonly string[],
  check: (outcome: Outcome, folder: string) => void | Promise<void>,
  world: World = {},
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const outcome = await run(["generate", ...args(folder)], {
      templates: templates(),
      ...world,
    });
    await check(outcome, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

export async function readConfig(
  folder: string,
): Promise<Record<string, unknown>> {
  return JSON.parse(await Deno.readTextFile(`${folder}/sub/config.json`));
}

/** Whether a folder has nothing in it, half-written things neither. */
export async function isEmpty(folder: string): Promise<boolean> {
  for await (const _ of Deno.readDir(folder)) return false;
  return true;
}
