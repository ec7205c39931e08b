/** What a mount refuses though the policy permits it, and what is recorded. */

import { assert, assertEquals } from "@std/assert";
import { GuestHand, OPEN, READ, WRITE } from "./_guest.ts";

/** The last events, as `decision operation resource: reason`. */
function events(hand: GuestHand): readonly string[] {
  return hand.events.splice(0).map((event) => {
    const { decision, operation, resource, reason } = event;
    const what = `${decision} ${operation} ${resource}`;
    return reason === undefined ? what : `${what}: ${reason}`;
  });
}

/** A directory of the host with links of every sort, and a guest on it. */
class Host implements Disposable {
  readonly path = Deno.makeTempDirSync();
  readonly root = `${this.path}/in`;

  constructor() {
    Deno.mkdirSync(`${this.root}/d`, { recursive: true });
    Deno.writeTextFileSync(`${this.root}/d/f`, "f");
    Deno.writeTextFileSync(`${this.path}/secret`, "secret");
    Deno.symlinkSync("d", `${this.root}/l`);
    Deno.symlinkSync("../secret", `${this.root}/out`);
    Deno.symlinkSync("/etc/passwd", `${this.root}/abs`);
    Deno.linkSync(`${this.path}/secret`, `${this.root}/hard`);
  }

  hand(symlinks: "refuse" | "within"): GuestHand {
    const access = "read-write";
    return new GuestHand({
      policy: [{
        type: "filesystem",
        mounts: [{ guest: "/data", host: this.root, access, symlinks }],
      }],
    });
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

const NO_FOLLOW = "the mount follows no symbolic links";
const NONE = "the mount has no symbolic links";
const OUT = "the symbolic link could lead out of the mount";

Deno.test("Wasi records what a mount without links refuses as denied", () => {
  using host = new Host();
  using hand = host.hand("refuse");
  const follow = { follow: true };
  assertEquals(hand.open("l/f"), "LOOP");
  assertEquals(hand.open("l", follow), "LOOP");
  assertEquals(
    hand.open("l/new", { flags: OPEN.CREAT, rights: WRITE }),
    "LOOP",
  );
  assertEquals(events(hand), [
    `denied filesystem.read /data/l/f: ${NO_FOLLOW}`,
    `denied filesystem.read /data/l: ${NO_FOLLOW}`,
    `denied filesystem.write /data/l/new: ${NO_FOLLOW}`,
  ]);
  // what the guest did not ask to follow is no refusal
  assertEquals(hand.open("l"), "LOOP");
  assertEquals(events(hand), ["allowed filesystem.read /data/l"]);
  const link = hand.text("d/f", 50_000);
  assertEquals(
    hand.call("path_symlink", ...link, 3, ...hand.text("n")),
    "PERM",
  );
  const [l, n] = [hand.text("l", 50_000), hand.text("n", 51_000)];
  assertEquals(hand.call("path_rename", 3, ...l, 3, ...n), "PERM");
  assertEquals(hand.call("path_link", 3, 0, ...l, 3, ...n), "PERM");
  assertEquals(events(hand), [
    `denied filesystem.write /data/n: ${NONE}`,
    `denied filesystem.write /data/l: ${NONE}`,
    `denied filesystem.write /data/l: ${NONE}`,
  ]);
});

Deno.test("Wasi records links that lead out as denied", () => {
  using host = new Host();
  using hand = host.hand("within");
  assertEquals(hand.open("l/f", { follow: true }), 4);
  hand.events.length = 0;
  assertEquals(hand.open("out", { follow: true }), "NOTCAPABLE");
  assertEquals(hand.open("abs", { follow: true }), "NOTCAPABLE");
  assertEquals(hand.path("path_readlink", "out", 512, 64, 8), "NOTCAPABLE");
  assertEquals(hand.path("path_readlink", "abs", 512, 64, 8), "NOTCAPABLE");
  const text = hand.text("../secret", 50_000);
  const symlink = hand.call("path_symlink", ...text, 3, ...hand.text("n"));
  assertEquals(symlink, "NOTCAPABLE");
  assertEquals(events(hand), [
    "denied filesystem.read /data/out: it leads out of its directory",
    "denied filesystem.read /data/abs: the symbolic link is absolute",
    `denied filesystem.read /data/out: ${OUT}`,
    "denied filesystem.read /data/abs: the symbolic link is absolute",
    `denied filesystem.write /data/n: ${OUT}`,
  ]);
});

Deno.test("Wasi records paths that no mount serves as denied", () => {
  using host = new Host();
  using hand = host.hand("within");
  assertEquals(hand.open("/data/d/f"), "NOTCAPABLE");
  assertEquals(hand.open("hard", { rights: READ | WRITE }), "PERM");
  const [first, ...more] = events(hand);
  assertEquals(
    first,
    "denied filesystem.read /data/d/f: the path is absolute",
  );
  // that is seen only when it is opened
  const why = "the file may have names outside the mount";
  assertEquals(more.slice(-2), [
    `denied filesystem.read /data/hard: ${why}`,
    `denied filesystem.write /data/hard: ${why}`,
  ]);
});

Deno.test("Wasi tells nothing of a path that the policy denies", () => {
  using hand = new GuestHand({
    policy: [{
      type: "filesystem",
      mounts: [{ guest: "/", memory: true, access: "read" }],
    }],
    run: { files: { "/d/f": new Uint8Array(1) } },
  });
  for (const path of ["d/f", "none/x", "d/f/x", "d", "d/none"]) {
    assertEquals(hand.path("path_unlink_file", path), "NOTCAPABLE", path);
  }
  assert(hand.events.every(({ decision }) => decision === "denied"));
});
