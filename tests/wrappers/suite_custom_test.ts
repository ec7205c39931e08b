import { testWrapper } from "../../testing/mod.ts";
import { CUSTOM, type CustomWrapper } from "../../wrappers/custom_wrapper.ts";

testWrapper("CustomWrapper", CUSTOM, {
  options: ({ maxConcurrent: maxConcurrentRequests, ...guest }) => {
    return { ...guest, maxConcurrentRequests, entryPoint: "handle" };
  },
  request: (wrapper: CustomWrapper, text) => wrapper.processRequest(text),
});
