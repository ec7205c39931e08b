import { assert, assertRejects } from "@std/assert";
import {
  type Channel,
  MemoryChannel,
  type OperationOptions,
} from "../../communication/mod.ts";
import { testChannel } from "../../testing/mod.ts";

/** Runs the suite on a channel, and gives the names of the tests that fail. */
async function failures(make: () => Channel): Promise<string[]> {
  const failed: string[] = [];
  const tests: [string, () => Promise<void>][] = [];
  testChannel("Broken", make, {
    messages: 100,
    test: (name, run) => void tests.push([name, run]),
  });
  for (const [name, run] of tests) {
    try {
      await run();
    } catch {
      failed.push(name);
    }
  }
  return failed;
}

Deno.test("testChannel() passes a channel that conforms", async () => {
  const failed = await failures(() => new MemoryChannel());
  assert(failed.length === 0, failed.join());
});

/** Gives last what came last but one. */
class OutOfOrder extends MemoryChannel {
  #held: unknown[] = [];
  override async receive(options?: OperationOptions): Promise<unknown> {
    if (this.#held.length > 0) return this.#held.pop();
    const first = await super.receive(options);
    if (this.counters.requests.waiting === 0) return first;
    this.#held.push(first);
    return await super.receive(options);
  }
}

/** Takes everything. */
class Unbounded extends MemoryChannel {
  constructor() {
    super({ capacity: 2 ** 40, maxBytes: 2 ** 50 });
  }
}

/** Has the very objects that were sent. */
class ByReference extends MemoryChannel {
  #last: unknown;
  override send(message: unknown, options?: OperationOptions): Promise<void> {
    this.#last = message;
    return super.send(message, options);
  }
  override async receive(options?: OperationOptions): Promise<unknown> {
    await super.receive(options);
    return this.#last;
  }
}

/** Takes a message for a receiver that is gone. */
class Lossy extends MemoryChannel {
  override receive({ signal }: OperationOptions = {}): Promise<unknown> {
    const { promise, reject } = Promise.withResolvers<never>();
    signal?.addEventListener("abort", () => reject(signal.reason));
    return Promise.race([super.receive(), promise]);
  }
}

/** Sends what was cancelled. */
class Stubborn extends MemoryChannel {
  override sendResult(message: unknown): Promise<void> {
    return super.sendResult(message);
  }
}

/** Forgets what waits when it is closed. */
class Forgetful extends MemoryChannel {
  override close(): void {
    void super[Symbol.asyncDispose]();
  }
}

for (
  const [make, test] of [
    [OutOfOrder, "send() delivers in order"],
    [Unbounded, "sendResult() waits for room"],
    [ByReference, "send() carries values"],
    [Lossy, "send() loses no message"],
    [Stubborn, "sendResult() does nothing for a signal"],
    [Forgetful, "send() gives what waits after close()"],
  ] as const
) {
  Deno.test(`testChannel() fails ${make.name}`, async () => {
    let run: (() => Promise<void>) | undefined;
    testChannel("Broken", () => new make(), {
      test: (name, each) => {
        if (name.startsWith(`Broken.${test}`)) run = each;
      },
    });
    assert(run !== undefined);
    await assertRejects(run, Error, "does not conform");
  });
}
