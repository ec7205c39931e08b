/** What a runtime promises of messages, and of guests that lie about them. */

import type { PlaceCase } from "./_runtime_case.ts";
import { check, checkFails, checkSame } from "./_runtime_check.ts";
import type { Subject } from "./_runtime_place.ts";

const TEXTS = ["1", '"a"', '{"a":[null,true,"ä\u{1f600}"]}', '""'];

/** What the guest lies about: where it allocates, and what it replies. */
interface Lie {
  readonly pointer?: number;
  readonly reply?: bigint;
}

/** Its memory is of 262,144 bytes. */
const LIES: Readonly<Record<string, Lie>> = {
  "room near 4 GiB": { pointer: -16 },
  "room past the end": { pointer: 262_142 },
  "no room": { pointer: 0 },
  "a reply past the end": { reply: place(262_140, 100) },
  "a reply behind the end": { reply: place(262_145, 0) },
  "a reply near 4 GiB": { reply: -1n },
  "a reply of 512 MiB": { reply: place(8, 2 ** 29) },
  "a reply whose end wraps": { reply: place(8, 2 ** 32 - 4) },
};

function place(pointer: number, length: number): bigint {
  return BigInt.asIntN(64, BigInt(pointer) << 32n | BigInt(length));
}

async function checkEcho(subject: Subject, request: Uint8Array): Promise<void> {
  const reply = await subject.bytes("echo", request);
  check(reply instanceof Uint8Array, "the reply to bytes is no bytes");
  check(
    reply.length === request.length &&
      reply.every((byte, at) => byte === request[at]),
    `the reply to ${request.length} bytes is not what was sent`,
  );
}

async function lie(subject: Subject, { pointer, reply }: Lie): Promise<void> {
  if (pointer !== undefined) await subject.call("set_pointer", [pointer]);
  if (reply !== undefined) await subject.call("set_reply", [reply]);
}

/** Messages. */
export const MESSAGE_CASES: readonly PlaceCase[] = [
  {
    name: "exchanges text",
    async run(place) {
      await using subject = await place.open("messages");
      for (const text of TEXTS) {
        checkSame(await subject.text("echo", text), text, "the reply");
      }
    },
  },
  {
    name: "exchanges bytes, and frees request and reply",
    async run(place) {
      await using subject = await place.open("messages");
      const lengths = [0, 1, 7, 4_096, 200_000];
      for (const length of lengths) {
        await checkEcho(
          subject,
          Uint8Array.from({ length }, (_, at) => at * 7),
        );
      }
      checkSame(
        await subject.call("freed"),
        2 * lengths.length,
        "how often memory was freed",
      );
    },
  },
  {
    name: "gives a reply that is not the guest's memory",
    async run(place) {
      await using subject = await place.open("messages");
      const first = await subject.bytes("echo", Uint8Array.of(1, 2, 3));
      await subject.bytes("echo", Uint8Array.of(9, 9, 9));
      checkSame([...first], [1, 2, 3], "the first reply, after the second");
      first.fill(0);
      checkSame(
        [...await subject.bytes("echo", Uint8Array.of(5))],
        [5],
        "the third reply",
      );
    },
  },
  ...Object.entries(LIES).map(([name, each]): PlaceCase => ({
    name: `ends a guest that lies: ${name}`,
    async run(place) {
      await using subject = await place.open("messages");
      for (const ask of ["bytes", "text"] as const) {
        await lie(subject, each);
        await checkFails(
          () =>
            ask === "bytes"
              ? subject.bytes("lie", Uint8Array.of(1, 2, 3, 4))
              : subject.text("lie", '"text"'),
          "guest-protocol",
          name,
        );
        checkSame(subject.failure?.code, "guest-protocol", "its failure");
        await checkFails(
          () => subject.call("freed"),
          "instance-dead",
          "a call after the lie",
        );
        await subject.renew();
      }
      await checkEcho(subject, Uint8Array.of(1));
    },
  })),
  {
    name: "ends a guest whose text is no UTF-8, or no JSON",
    async run(here) {
      await using subject = await here.open("messages");
      await lie(subject, { reply: place(8, 2) });
      checkSame(
        [...await subject.bytes("lie", Uint8Array.of(1))],
        [255, 255],
        "the same as bytes",
      );
      await checkFails(
        () => subject.text("lie", "1"),
        "guest-protocol",
        "text that is no UTF-8",
      );
      // what is no JSON is text nevertheless, which nobody parses here
      await subject.renew();
      await lie(subject, { reply: place(10, 2) });
      const run = () => subject.text("lie", "1");
      if (here.name === "directly") {
        checkSame(await run(), "{1", "text that is no JSON");
      } else await checkFails(run, "guest-protocol", "a reply that is no JSON");
    },
  },
  {
    name: "sends messages to functions that take them only",
    async run(here) {
      await using subject = await here.open("messages");
      const ask = (name: string) => () => subject.bytes(name, new Uint8Array());
      await checkFails(ask("number"), "guest-protocol", "a message to numbers");
      await subject.renew();
      await checkFails(ask("missing"), "export-not-found", "one to nothing");
      await using other = await here.open("traps");
      await checkFails(
        () => other.bytes("answer", new Uint8Array()),
        "guest-protocol",
        "a message to a guest that takes none",
      );
    },
  },
];
