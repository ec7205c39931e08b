/**
 * The template `mcp_server`: tools for agents.
 *
 * @module
 */

import { textProblem } from "../../wrappers/mcp/names.ts";
import { applicationTemplate, JSON_LIBRARIES } from "../_shared/application.ts";
import type { HandlebarsTemplate } from "../handlebars_template.ts";
import { kebab } from "../names.ts";
import type { TemplateConfig } from "../types.ts";
import GUEST from "./guest.ts.hbs" with { type: "text" };
import MAIN from "./main.ts.hbs" with { type: "text" };
import README from "./README.md.hbs" with { type: "text" };
import TEST from "./test.ts.hbs" with { type: "text" };

/** Tools of a guest of its own, if nobody says. */
const TOOLS: readonly string[] = ["count_words"];

/** Longest name, which is the server's title. */
const MAX_NAME = 256;

/** Longest name for programs, which is made of it. */
const MAX_SERVER_NAME = 64;

/**
 * What starts the guest's process: Deno, by its path, and the tools of Linux that
 * bound it further where they are.
 */
const ALLOW_RUN = `"--allow-run=$(deno eval 'console.log(Deno.execPath())'),` +
  `prlimit,setpriv,unshare,ldd"`;

/** Tools for agents. */
export const MCP_SERVER_TEMPLATE: HandlebarsTemplate = applicationTemplate({
  name: "mcp_server",
  description: "Tools for agents (MCP) that a guest implements, in a sandbox.",
  example: "text-tools",
  module: "a guest that describes its tools",
  limits: { memoryBytes: 16 * 2 ** 20, timeoutMs: 5_000 },
  properties: {
    tools: {
      description: `Names of the tools, in snake case; ${TOOLS} if left out.`,
      type: "array",
      minItems: 1,
      items: { type: "string", pattern: "^[a-z][a-z0-9_]{0,39}$" },
    },
  },
  main: MAIN,
  test: TEST,
  readme: README,
  guest: { source: GUEST, libraries: JSON_LIBRARIES },
  startFlags: () => [ALLOW_RUN],
  testFlags: [ALLOW_RUN],
  usesSdk: true,
  derive: valuesOf,
});

function valuesOf({ name, module, tools }: TemplateConfig): TemplateConfig {
  const problem = textProblem(name, MAX_NAME);
  if (problem !== undefined) throw new TypeError(`name ${problem}`);
  if (module !== null && tools !== null) {
    throw new TypeError("tools are for a guest of its own (leave out module)");
  }
  const toolNames = (tools ?? TOOLS) as readonly string[];
  if (new Set(toolNames).size < toolNames.length) {
    throw new TypeError("tools has a name twice");
  }
  const serverName = kebab(String(name)).slice(0, MAX_SERVER_NAME);
  return {
    serverName: serverName === "" ? "tools" : serverName,
    toolNames,
    tools: toolNames.map((tool) => ({ name: tool, handler: `tool_${tool}` })),
  };
}
