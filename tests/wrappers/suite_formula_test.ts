import * as example from "../../examples/wrappers/formula.ts";
import { testWrapper } from "../../testing/mod.ts";

testWrapper("Formula", example.FORMULA, {
  options: (guest) => guest,
  request: (wrapper: example.Formula, text) => wrapper.evaluate(text),
  ...{ entry: "process", reply: { result: "1" } },
  wrappers: example.wrappersWithFormula(),
});
