import { type Outcome, run, type World } from "./_run.ts";

/** A command that listens. */
export interface Serving {
  /** Where it listens: the URL that it has printed. */
  readonly url: string;
  /** What it has printed to the standard error so far. */
  stderr(): string;
  /** Asks it to stop. */
  ask(): void;
  /** Resolves when it has ended. */
  readonly ended: Promise<Outcome>;
  /** Asks it to stop, and waits for that. */
  stop(): Promise<Outcome>;
}

/** Runs a command that listens, in this process, until it does. */
export async function serving(
  args: readonly string[],
  world: World = {},
): Promise<Serving> {
  const signals = new EventTarget();
  const listening = Promise.withResolvers<string>();
  let stderr = "";
  const ended = run(args, {
    ...world,
    signals,
    onStderr: (text) => {
      stderr += text;
      const [, url] = /listening on (\S+)\n/.exec(stderr) ?? [];
      if (url !== undefined) listening.resolve(url);
    },
  });
  const failed = ended.then(({ code, stderr }) => {
    throw new Error(`it ended with ${code} and does not listen: ${stderr}`);
  });
  failed.catch(() => {});
  const ask = () => void signals.dispatchEvent(new Event("stop"));
  return {
    url: await Promise.race([listening.promise, failed]),
    stderr: () => stderr,
    ask,
    ended,
    stop: () => {
      ask();
      return ended;
    },
  };
}
