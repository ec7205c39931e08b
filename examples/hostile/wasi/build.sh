#!/bin/bash
# Rebuilds the hostile guests that are written in C; tests assemble the others.
#
#   examples/hostile/wasi/build.sh [--check]
#
# With --check nothing is written: each must be byte for byte what its source makes. What is
# needed is said in examples/wasi_tools.sh.

set -eu

mode=${1:-}
guests=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../../wasi_tools.sh
. "$guests/../../wasi_tools.sh"

output=$(mktemp -d)
trap 'rm -rf "$output"; [ -n "${WASI_TOOLS:-}" ] || rm -rf "$tools"' EXIT

unpack_debian_packages
debian clang --version | head -n 1

cd "$guests"
for source in *.c; do
  name=${source%.c}
  debian clang --target=wasm32 -std=c17 -O2 -mbulk-memory -ffreestanding -nostdlib \
    -Wall -Wextra -Werror -Wno-unused-function \
    -Wl,--no-entry,-z,stack-size=65536,--stack-first,--strip-all -o "$output/$name.wasm" "$source"
  deliver "$output/$name.wasm" "$name.wasm"
done
sha256sum ./*.wasm
