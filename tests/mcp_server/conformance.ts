/**
 * Runs the scenarios of npm:@modelcontextprotocol/conformance against a server
 * whose fixtures are guests.
 *
 * ```sh
 * deno run -A tests/mcp_server/conformance.ts
 * ```
 *
 * @module
 */

import { McpServer } from "../../wrappers/mcp_server.ts";
import { FIXTURES } from "./_peers.ts";

const SUITE = "npm:@modelcontextprotocol/conformance@0.1.16";

/** How many scenarios the suite has for servers. */
export const SCENARIOS = 32;

/** Scenarios that a server whose fixtures are guests cannot pass: none. */
export const EXPECTED_FAILURES: readonly string[] = [];

/**
 * Scenarios that judge nothing: it asks in a version of the protocol in which
 * the SDK offers no polling.
 */
export const NOT_JUDGED: readonly string[] = ["server-sse-polling"];

/** What came of a scenario. */
export interface ScenarioResult {
  readonly passed: number;
  readonly failed: number;
}

/**
 * Runs all scenarios.
 *
 * @param report Takes what the suite prints, if that is wanted.
 * @returns How many checks of each of them passed and failed, by name.
 */
export async function conformance(
  report: (text: string) => void = () => {},
): Promise<Readonly<Record<string, ScenarioResult>>> {
  await using server = await McpServer.create({
    name: "conformance",
    version: "1.0.0",
    guests: {
      fixtures: {
        module: FIXTURES,
        clientRequests: ["sampling", "elicitation"],
      },
    },
  });
  await using service = server.serve({ port: 0 });
  const url = `http://127.0.0.1:${service.addr.port}/mcp`;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    // no configuration, so that its packages are its own
    args: [
      "run",
      "-A",
      "--no-config",
      "--no-lock",
      SUITE,
      "server",
      "--url",
      url,
      "--suite",
      "all",
    ],
  }).output();
  const text = new TextDecoder().decode(stdout);
  report(text);
  const lines = [
    ...text.matchAll(/^[✓✗] ([\w-]+): (\d+) passed, (\d+) failed/gm),
  ];
  if (lines.length === 0) throw new Error(new TextDecoder().decode(stderr));
  return Object.fromEntries(
    lines.map(([, name, passed, failed]) => [name, {
      passed: Number(passed),
      failed: Number(failed),
    }]),
  );
}

// deno-lint-ignore no-console -- a program for people
if (import.meta.main) await conformance((text) => console.log(text));
