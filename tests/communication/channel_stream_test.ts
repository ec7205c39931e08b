import { StreamChannel } from "../../examples/channels/stream_channel.ts";
import { testChannel } from "../../testing/mod.ts";

testChannel("StreamChannel", () => new StreamChannel());
