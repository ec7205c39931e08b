import { testWrapper } from "../../testing/mod.ts";
import { PLUGIN, type PluginHost } from "../../wrappers/plugin.ts";

testWrapper("PluginHost", PLUGIN, {
  options: ({ maxConcurrent: maxInstances, isolation, ...plugin }) => ({
    plugins: { tested: plugin },
    grants: { limits: plugin.limits },
    maxInstances,
    maxConcurrentCalls: maxInstances,
    defaults: { isolation },
    // what the suite looks at is each failure by itself
    supervision: { quarantineAfter: 1_000, backoffMs: 1, maxBackoffMs: 1 },
  }),
  request: (wrapper: PluginHost, text) =>
    wrapper.call("tested", "handle", text),
});
