import { bytes, MemoryChannel } from "../../communication/mod.ts";
import { testChannel } from "../../testing/mod.ts";

testChannel("MemoryChannel", () => new MemoryChannel());
testChannel("MemoryChannel of bytes", () => {
  return new MemoryChannel({ requestCodec: bytes, resultCodec: bytes });
});
