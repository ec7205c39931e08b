#!/bin/bash
# Compiles the guest of this folder with any clang and lld that know wasm32.
#
#   examples/wrappers/build.sh

set -eu
cd "$(dirname "$0")"

"${CLANG:-clang}" --target=wasm32 -std=c17 -O2 -mbulk-memory -ffreestanding -nostdlib \
  -Wall -Wextra -Wconversion -Wno-sign-conversion -Werror \
  -Wl,--no-entry,-z,stack-size=65536,--stack-first,--strip-all -o formula.wasm formula.c
chmod 644 formula.wasm
