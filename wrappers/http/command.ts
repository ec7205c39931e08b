/** Programs that run anew for each request, as CGI programs. */

import { printable } from "../../_text.ts";
import { SandboxError } from "../../errors.ts";
import type { Sandbox } from "../../sandbox.ts";
import type { ExecuteOptions } from "../../sandbox_options.ts";
import type { GuestPool } from "../guest_pool.ts";
import type { Bodies } from "./body.ts";
import { CgiOutput } from "./cgi_output.ts";
import { HeadFinder, longestCgiHead, readCgiHead } from "./cgi_reply.ts";
import { cgiVariables } from "./cgi_variables.ts";
import type { CommandGrants } from "./command_policy.ts";
import { type Answer, type Exchange, LocalRedirect } from "./exchange.ts";
import { type Answerer, wholeAnswer } from "./handler.ts";
import { badReply } from "./problem.ts";
import { ReplyStream } from "./reply_body.ts";
import type { Settings } from "./settings.ts";
import { lend } from "./waiting.ts";

/** How a run has ended. */
interface Ending {
  readonly exitCode: number;
  readonly stdout: Uint8Array<ArrayBuffer>;
  readonly stderr: Uint8Array;
}

/** Answers by runs of a program. */
export class Command implements Answerer {
  readonly #pool: GuestPool;
  readonly #settings: Settings;
  readonly #bodies: Bodies;
  readonly #grants: Pick<CommandGrants, "fixed" | "forwards">;
  /** In a process the program can be listened to while it runs. */
  readonly #streams: boolean;

  constructor(
    pool: GuestPool,
    settings: Settings,
    { bodies, grants }: {
      readonly bodies: Bodies;
      readonly grants: CommandGrants;
    },
  ) {
    this.#pool = pool;
    this.#settings = settings;
    this.#bodies = bodies;
    this.#grants = grants;
    this.#streams = pool.isolation === "process";
  }

  async answer(exchange: Exchange): Promise<Answer> {
    const settings = this.#settings;
    const headers = exchange.headers(settings, this.#grants.forwards);
    const { body } = exchange;
    const declared = this.#bodies.declaredLength(exchange);
    // a body whose length nobody knows is read first: the program is told
    const isStreamed = this.#streams &&
      (body === null || declared !== undefined);
    const stdin = isStreamed ? undefined : await this.#bodies.read(exchange);
    const env = cgiVariables(exchange, {
      headers,
      length: body === null ? undefined : stdin?.length ?? declared,
      fixed: this.#grants.fixed,
    });
    return this.#streams
      ? await this.#stream(exchange, env, stdin)
      : await this.#whole(exchange, { env, stdin: stdin ?? "" });
  }

  /** Answers when the program has ended. */
  async #whole(
    exchange: Exchange,
    run: ExecuteOptions,
  ): Promise<Answer> {
    const settings = this.#settings;
    const ending = await this.#execute(exchange, run);
    checkExit(ending);
    const { stdout } = ending;
    const most = longestCgiHead(settings);
    const end = new HeadFinder().find(stdout.subarray(0, most));
    if (end === undefined) throw badReply("it has no end of its head");
    const head = readCgiHead(stdout.subarray(0, end), settings);
    if ("redirect" in head) throw new LocalRedirect(head.redirect);
    const body = stdout.subarray(end);
    return wholeAnswer(
      exchange,
      { head, body },
      settings.maxResponseBytes,
    );
  }

  /** Answers as soon as the program has written a head. */
  async #stream(
    exchange: Exchange,
    env: Record<string, string>,
    stdin: Uint8Array | undefined,
  ): Promise<Answer> {
    const settings = this.#settings;
    const reply = new ReplyStream(exchange.signal, settings.maxResponseBytes);
    const output = new CgiOutput(reply, exchange, settings);
    const source = stdin === undefined
      ? this.#bodies.stream(exchange)
      : undefined;
    const run = async (): Promise<Answer> => {
      let failure: unknown;
      try {
        const ending = await this.#execute(exchange, {
          env,
          stdin: source?.readable() ?? stdin ?? "",
          stdout: output.writable,
          signal: reply.gone,
        });
        checkExit(ending);
        output.end();
      } catch (error) {
        failure = source?.problem ?? output.problem ?? error;
      } finally {
        source?.[Symbol.dispose]();
        reply.end(failure);
      }
      if (reply.hasBegun) return await reply.begun;
      throw failure;
    };
    void reply.begun.then(() =>
      source?.readAhead((problem) => reply.cut(problem))
    );
    return await Promise.race([reply.begun, run()]);
  }

  #execute(exchange: Exchange, options: ExecuteOptions): Promise<Ending> {
    const run = { ...options, inheritEnv: false };
    return lend(
      this.#pool,
      exchange,
      (sandbox: Sandbox) => sandbox.execute([], run),
    );
  }
}

/** Longest piece of the standard error that an error quotes. */
const MAX_QUOTED = 500;

function checkExit({ exitCode, stderr }: Ending): void {
  if (exitCode === 0) return;
  const said = new TextDecoder().decode(stderr.subarray(0, MAX_QUOTED)).trim();
  const says = said === "" ? "" : `: ${printable(said)}`;
  throw badReply(
    "",
    new SandboxError(
      "guest-exit",
      `The program ended with exit code ${exitCode}${says}`,
      { details: { exitCode } },
    ),
  );
}
