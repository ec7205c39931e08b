#!/bin/bash
# Rebuilds the versions of the plugin: counter_N.wasm.
#
#   tests/plugin/guests/build.sh
#
# Needs clang and wasm-ld of LLVM 14 or later. The output does not depend on the folder.

set -eu

cd "$(dirname "$0")"
for version in 1 2 3 4 5; do
  clang --target=wasm32 -std=c17 -O2 -mbulk-memory -ffreestanding -nostdlib \
    -Wall -Wextra -Wconversion -Wno-sign-conversion -Werror "-DVERSION=$version" \
    -Wl,--no-entry,-z,stack-size=65536,--stack-first,--strip-all \
    -o "counter_$version.wasm" counter.c
done
chmod 644 ./*.wasm
sha256sum ./*.wasm
