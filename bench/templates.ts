/**
 * Rendering templates: whole projects, beside Handlebars alone on the same texts.
 *
 * @module
 */

import Handlebars from "handlebars";
import { HELPERS } from "../templates/engine.ts";
import { TemplateFactory } from "../templates/mod.ts";
import {
  type Benchmark,
  type Figures,
  interleave,
  print,
  type RunOptions,
  summarize,
  table,
} from "./measure.ts";

/** Compiles and fills all texts of a folder, as bare as Handlebars does it. */
async function bare(folder: string): Promise<() => number> {
  const texts: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".hbs")) continue;
    texts.push(await Deno.readTextFile(`${folder}/${name}`));
  }
  return () => texts.reduce((sum, text) => sum + fill(text).length, 0);
}

const HANDLEBARS = Handlebars.create();
for (const [name, isKnown] of Object.entries(HELPERS)) {
  if (!isKnown || name in HANDLEBARS.helpers) continue;
  HANDLEBARS.registerHelper(name, () => "x");
}

function fill(text: string): string {
  return HANDLEBARS.compile(text, { noEscape: true })({});
}

async function run({ quick }: RunOptions): Promise<Figures> {
  const figures: Record<string, Figures> = {};
  const rows: string[][] = [];
  for (const name of new TemplateFactory()) {
    const config = name === "guest" ? { language: "rust" } : {};
    const templates = new TemplateFactory();
    const start = performance.now();
    const files = await templates.render(name, config);
    const firstMs = performance.now() - start;
    const alone = await bare(
      new URL(`../templates/${name}`, import.meta.url).pathname,
    );
    const [again = [], plain = []] = await interleave([
      { name, run: () => templates.render(name, config) },
      { name: "handlebars", run: () => void alone() },
    ], { rounds: quick ? 5 : 25, warmup: 2 });
    const [project, handlebars] = [summarize(again), summarize(plain)];
    figures[name] = { files: files.size, firstMs, project, handlebars };
    rows.push([
      name,
      String(files.size),
      firstMs.toFixed(1),
      project.median.toFixed(2),
      `${project.low.toFixed(2)}–${project.high.toFixed(2)}`,
      handlebars.median.toFixed(2),
      (project.median / handlebars.median).toFixed(1),
    ]);
  }
  print(table(
    [
      "project",
      "files",
      "first ms",
      "again ms",
      "half within",
      "handlebars ms",
      "ratio",
    ],
    rows,
  ));
  return figures;
}

/** Rendering. */
export const templates: Benchmark = {
  name: "templates",
  about:
    "Whole projects from templates, with all checks of config and output; " +
    "the ratio is to Handlebars alone,\nwhich compiles and fills the template's " +
    "own texts with no checks. The first includes loading.",
  run,
};
