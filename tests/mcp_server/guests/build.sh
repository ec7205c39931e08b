#!/bin/bash
# Rebuilds the guests of these tests: fixtures.wasm and hostile.wasm.
#
#   tests/mcp_server/guests/build.sh
#
# Needs clang and wasm-ld of LLVM 14 or later. The output does not depend on the folder.

set -eu

cd "$(dirname "$0")"
for guest in fixtures hostile; do
  clang --target=wasm32 -std=c17 -O2 -mbulk-memory -ffreestanding -nostdlib \
    -Wall -Wextra -Wno-infinite-recursion -Werror \
    -Wl,--no-entry,-z,stack-size=65536,--stack-first,--strip-all \
    -o "$guest.wasm" "$guest.c"
done
chmod 644 ./*.wasm
sha256sum ./*.wasm
