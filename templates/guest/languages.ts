/** The languages that guests are written in. */

import { compileCommand, LIBRARY } from "../_shared/assemblyscript.ts";
import AS_GUEST from "./assemblyscript/guest.ts.hbs" with { type: "text" };
import C_LIBRARY from "../../communication/guest/c/wasm_sandbox.h" with {
  type: "text",
};
import C_GUEST from "./c/guest.c.hbs" with { type: "text" };
import GO_LIBRARY from "../../communication/guest/go/wasm_sandbox.go" with {
  type: "text",
};
import GO_GUEST from "./go/guest.go.hbs" with { type: "text" };
import GO_MODULE from "./go/go.mod.hbs" with { type: "text" };
import JS_GUEST from "./javascript/guest.js.hbs" with { type: "text" };
import JS_PACK from "./javascript/pack.ts.hbs" with { type: "text" };
import RUST_LIBRARY from "../../communication/guest/rust/wasm_sandbox.rs" with {
  type: "text",
};
import RUST_GUEST from "./rust/guest.rs.hbs" with { type: "text" };
import ZIG_LIBRARY from "../../communication/guest/zig/wasm_sandbox.zig" with {
  type: "text",
};
import ZIG_GUEST from "./zig/guest.zig.hbs" with { type: "text" };

/** How guests are written in one language. */
export interface GuestLanguage {
  /** What it is called, on a page. */
  readonly title: string;
  /** What it takes to build a guest, to end a sentence. */
  readonly needs: string;
  /** The command that makes `guest.wasm`. */
  readonly build: string;
  /** Its files, by path. */
  readonly files: Readonly<Record<string, string>>;
  /** What else than nothing its guests are granted. */
  readonly policy?: "go" | "program";
}

/** The languages, by the name that a config gives them. */
export const GUEST_LANGUAGES: Readonly<Record<string, GuestLanguage>> = Object
  .freeze({
    assemblyscript: {
      title: "AssemblyScript",
      needs: "nothing but Deno: the compiler comes from npm.",
      build: compileCommand("assembly/guest.ts", "guest.wasm"),
      files: {
        "assembly/guest.ts": AS_GUEST,
        "assembly/wasm_sandbox.ts": LIBRARY,
      },
    },
    c: {
      title: "C",
      needs: "clang 14 or later, with lld.",
      build:
        "clang --target=wasm32 -std=c17 -O2 -mbulk-memory -ffreestanding " +
        "-nostdlib -Wall -Wextra -Werror " +
        "-Wl,--no-entry,-z,stack-size=65536,--stack-first -o guest.wasm guest.c",
      files: { "guest.c": C_GUEST, "wasm_sandbox.h": C_LIBRARY },
    },
    go: {
      title: "Go",
      needs: "Go 1.24 or later.",
      build: "GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -trimpath " +
        "-o guest.wasm .",
      files: {
        "go.mod": GO_MODULE,
        "guest.go": GO_GUEST,
        "wasmsandbox/wasm_sandbox.go": GO_LIBRARY,
      },
      policy: "go",
    },
    javascript: {
      title: "JavaScript",
      needs: "quickjs.wasm beside it, the interpreter, which is too large to " +
        "be part of the package: examples, apps, quickjs in its repository has " +
        "the file, and the script that builds it.",
      build: "deno run --allow-read --allow-write pack.ts guest.js guest.wasm",
      files: { "guest.js": JS_GUEST, "pack.ts": JS_PACK },
      policy: "program",
    },
    rust: {
      title: "Rust",
      needs: "rustc 1.63 or later, with the target wasm32-unknown-unknown: " +
        "rustup target add wasm32-unknown-unknown",
      build: "rustc --target wasm32-unknown-unknown --edition 2021 " +
        "--crate-type cdylib -O -C panic=abort -C strip=symbols -o guest.wasm " +
        "guest.rs",
      files: { "guest.rs": RUST_GUEST, "wasm_sandbox.rs": RUST_LIBRARY },
    },
    zig: {
      title: "Zig",
      needs: "Zig 0.17.",
      build: "zig build-exe guest.zig -target wasm32-freestanding " +
        "-O ReleaseSmall -fno-entry -rdynamic -fstrip --stack 65536",
      files: { "guest.zig": ZIG_GUEST, "wasm_sandbox.zig": ZIG_LIBRARY },
    },
  });
