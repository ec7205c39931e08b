import { testWrapper } from "../../testing/mod.ts";
import { CLI_TOOL, type CliTool } from "../../wrappers/cli_tool.ts";

testWrapper("CliTool", CLI_TOOL, {
  options: ({ maxConcurrent: maxConcurrentRuns, ...guest }) => ({
    ...guest,
    maxConcurrentRuns,
  }),
  entry: "_start",
  request: async (tool: CliTool, text) => {
    const { exitCode } = await tool.run([text]);
    if (exitCode !== 0) throw new Error(`exit code ${exitCode}`);
  },
});
