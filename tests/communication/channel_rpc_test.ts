import { RpcChannel } from "../../communication/mod.ts";
import { testChannel } from "../../testing/mod.ts";

testChannel("RpcChannel", () => new RpcChannel());
