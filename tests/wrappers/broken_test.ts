import { assert, assertRejects } from "@std/assert";
import { Sandbox } from "../../sandbox.ts";
import { testWrapper } from "../../testing/mod.ts";
import {
  CUSTOM,
  CustomWrapper,
  type CustomWrapperConfig,
} from "../../wrappers/custom_wrapper.ts";
import { WrapperFactory } from "../../wrappers/mod.ts";
import type { WrapperKind } from "../../wrappers/mod.ts";

type Create = WrapperKind<CustomWrapperConfig>["create"];
type Request = (wrapper: CustomWrapper, text: string) => Promise<unknown>;

/** A wrapper that does something wrong. */
interface Broken {
  /** The test that has to fail. */
  readonly caughtBy: string;
  readonly kind?: Partial<WrapperKind<CustomWrapperConfig>>;
  readonly create?: Create;
  readonly request?: Request;
}

const ask: Request = (wrapper, text) => wrapper.processRequest(text);

/** Makes what should be made, after or before something that should not be. */
function making(
  meddle: (wrapper: CustomWrapper, config: CustomWrapperConfig) => unknown,
): Create {
  return async (config, operation) => {
    const wrapper = await CustomWrapper.create(config, operation);
    await meddle(wrapper, config);
    return wrapper;
  };
}

/** Options as somebody would read them who checks nothing. */
function only(
  { module, entryPoint, limits, isolation }: CustomWrapperConfig,
): CustomWrapperConfig {
  return {
    module,
    entryPoint,
    ...(limits === undefined ? {} : { limits }),
    ...(isolation === undefined ? {} : { isolation }),
  };
}

function withDisposal(
  wrapper: CustomWrapper,
  dispose: (old: () => Promise<void>) => Promise<void>,
): void {
  const old = wrapper[Symbol.asyncDispose].bind(wrapper);
  wrapper[Symbol.asyncDispose] = () => dispose(old);
}

const { properties = {} } = CUSTOM.schema;
const open: Disposable[] = [];
const kept: unknown[] = [];

const BROKEN: Readonly<Record<string, Broken>> = {
  "is not registered": {
    kind: { type: "somewhere" },
    caughtBy: "has a kind that is registered by its name",
  },
  "has another wrapperType": {
    create: making((wrapper) =>
      Object.defineProperty(wrapper, "wrapperType", { value: "other" })
    ),
    caughtBy: "has a kind that is registered by its name",
  },
  "has a schema that takes any name": {
    kind: { schema: { type: "object", properties } },
    caughtBy: "has a kind that is registered by its name",
  },
  "does not describe an option": {
    kind: {
      schema: {
        ...CUSTOM.schema,
        properties: { ...properties, timeoutMs: { type: "integer" } },
      },
    },
    caughtBy: "describes each of its options",
  },
  "ignores names that it does not know": {
    create: (config) => CustomWrapper.create(only(config)),
    caughtBy: "refuses options that it does not know",
  },
  "checks no types": {
    create: (config) =>
      CustomWrapper.create({ ...config, maxQueuedRequests: 5 }),
    caughtBy: "refuses options of another type, all at once",
  },
  "tells one thing at a time": {
    create: (config, operation) =>
      CustomWrapper.create(config, operation).catch((error) => {
        throw new TypeError(String(error.message).split(";")[0]);
      }),
    caughtBy: "refuses options of another type, all at once",
  },
  "takes nothing for something": {
    create: (config) => {
      const { module, entryPoint } = { ...config };
      if (module === undefined) throw new Error("no module");
      return CustomWrapper.create({ module, entryPoint });
    },
    caughtBy: "refuses what is no object, and missing options",
  },
  "has a default that it refuses": {
    kind: {
      schema: {
        ...CUSTOM.schema,
        properties: {
          ...properties,
          maxQueuedRequests: { type: "integer", minimum: 1, default: -1 },
        },
      },
    },
    caughtBy: "takes its own defaults",
  },
  "reads an option twice": {
    create: making((_, { entryPoint }) => entryPoint),
    caughtBy: "reads its options once, and changes nothing",
  },
  "reads an option late": {
    create: making((wrapper, config) => {
      const old = wrapper.processRequest.bind(wrapper);
      wrapper.processRequest = (request, options) =>
        config.entryPoint === "" ? old(request) : old(request, options);
    }),
    caughtBy: "reads its options once, and changes nothing",
  },
  "changes its options": {
    create: (config, operation) => {
      (config as { timeoutMs?: number }).timeoutMs = 5;
      return CustomWrapper.create(config, operation);
    },
    caughtBy: "reads its options once, and changes nothing",
  },
  "prints that it starts": {
    // deno-lint-ignore no-console -- as the seed does
    create: making(() => console.log("Starting custom wrapper service...")),
    caughtBy: "starts nothing and prints nothing",
  },
  "logs requests to the standard error": {
    request: (wrapper, text) => {
      Deno.stderr.writeSync(new Uint8Array());
      return wrapper.processRequest(text);
    },
    caughtBy: "starts nothing and prints nothing",
  },
  "starts a timer": {
    create: making((wrapper) => {
      const timer = setInterval(() => {}, 1_000);
      withDisposal(wrapper, (old) => {
        clearInterval(timer);
        return old();
      });
    }),
    caughtBy: "starts nothing and prints nothing",
  },
  "listens": {
    create: making((wrapper) => {
      const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      withDisposal(wrapper, (old) => {
        listener.close();
        return old();
      });
    }),
    caughtBy: "starts nothing and prints nothing",
  },
  "starts a process": {
    create: making((wrapper) => {
      const child = new Deno.Command("sleep", { args: ["60"] }).spawn();
      withDisposal(wrapper, async (old) => {
        child.kill("SIGKILL");
        await child.status;
        await old();
      });
    }),
    caughtBy: "starts nothing and prints nothing",
  },
  "leaves a socket open": {
    create: making((wrapper) => {
      withDisposal(wrapper, (old) => {
        const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
        open.push({ [Symbol.dispose]: () => listener.close() });
        return old();
      });
    }),
    caughtBy: "answers requests, and several at a time",
  },
  "ignores the signal": {
    create: (config) => CustomWrapper.create(config),
    caughtBy: "is not made if the signal is aborted",
  },
  "looks at the signal but once": {
    create: (config, operation) => {
      operation?.signal?.throwIfAborted();
      return CustomWrapper.create({ ...config, limits: { timeoutMs: 800 } });
    },
    caughtBy: "is not made any more once the signal is aborted",
  },
  "is not disposed twice": {
    create: making((wrapper) => {
      let times = 0;
      withDisposal(wrapper, (old) => {
        if (++times > 1) throw new Error("disposed twice");
        return old();
      });
    }),
    caughtBy: "is disposed twice as once, and then is disposed",
  },
  "goes on after it is disposed": {
    request: (wrapper, text) =>
      wrapper.processRequest(text).catch(() => "all is well"),
    caughtBy: "is disposed twice as once, and then is disposed",
  },
  "fails as something else after it is disposed": {
    request: (wrapper, text) =>
      wrapper.processRequest(text).catch(() => {
        throw new Error("it went wrong");
      }),
    caughtBy: "is disposed twice as once, and then is disposed",
  },
  "waits for requests that never end": {
    create: async (config) => {
      const wrapper = await CustomWrapper.create({
        ...config,
        limits: { timeoutMs: 600 },
      });
      let running: Promise<unknown> = Promise.resolve();
      const old = wrapper.processRequest.bind(wrapper);
      wrapper.processRequest = (...args) => {
        const request = old(...args);
        running = request.catch(() => {});
        return request.catch(() => "stopped") as typeof request;
      };
      withDisposal(wrapper, async (dispose) => {
        await running;
        await dispose();
      });
      return wrapper;
    },
    caughtBy: "ends what runs when it is disposed",
  },
  "stays dead": {
    create: async (config, operation) => {
      const sandbox = await Sandbox.create({
        module: config.module,
        isolation: config.isolation ?? "inline",
        limits: config.limits ?? {},
      }, operation);
      const wrapper = {
        wrapperType: "custom",
        processRequest: (request: unknown) => sandbox.call("handle", request),
        [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose](),
      };
      return wrapper;
    },
    caughtBy: "inline ends a request that never ends, and answers the next",
  },
  "dies of a trap": {
    create: async (config, operation) => {
      const wrapper = await CustomWrapper.create(config, operation);
      const old = wrapper.processRequest.bind(wrapper);
      let failure: unknown;
      wrapper.processRequest = async (...args) => {
        if (failure !== undefined) throw failure;
        try {
          return await old(...args) as never;
        } catch (error) {
          failure = error;
          throw error;
        }
      };
      return wrapper;
    },
    caughtBy: "in a process answers the next request after one that traps",
  },
  "answers a request that was stopped": {
    request: (wrapper, text) =>
      wrapper.processRequest(text).catch(() => "sorry"),
    caughtBy: "inline ends a request that never ends, and answers the next",
  },
  "runs as many as come": {
    create: (config, operation) =>
      CustomWrapper.create(
        { ...config, maxConcurrentRequests: 100 },
        operation,
      ),
    caughtBy: "runs no more requests at a time than it may",
  },
  "answers for a module that is none": {
    create: (config, operation) =>
      CustomWrapper.create(config, operation).catch(() => ({
        wrapperType: "custom",
        processRequest: () => Promise.resolve("ok"),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      })),
    caughtBy: "contains a module that is noise",
  },
  "says nothing of why": {
    create: (config, operation) =>
      CustomWrapper.create(config, operation).catch(() => {
        throw new Error();
      }),
    caughtBy: "contains a module whose start traps",
  },
  "keeps what it made": {
    create: making(() => kept.push(new Uint8Array(2 ** 21).fill(1))),
    caughtBy: "keeps nothing of wrappers that were let go",
  },
};

for (
  const [what, { caughtBy, kind, create, request }] of Object.entries(BROKEN)
) {
  Deno.test(`testWrapper() catches a wrapper that ${what}`, async () => {
    const tests = new Map<string, () => Promise<void>>();
    const broken = { ...CUSTOM, ...kind, ...(create && { create }) };
    testWrapper("Broken", broken, {
      options: ({ maxConcurrent, ...guest }): CustomWrapperConfig => ({
        ...guest,
        maxConcurrentRequests: maxConcurrent,
        entryPoint: "handle",
      }),
      request: request ?? ask,
      wrappers: new WrapperFactory(),
      test: (name, run) => void tests.set(name, run),
    });
    const run = tests.get(`Broken ${caughtBy}`);
    assert(run !== undefined, `there is no test "${caughtBy}"`);
    try {
      await assertRejects(run, Error);
    } finally {
      for (const each of open.splice(0)) each[Symbol.dispose]();
      kept.length = 0;
    }
  });
}
