#!/bin/bash
# Rebuilds the guests of these tests.
#
#   tests/http_server/guests/build.sh
#
# What is needed is said in examples/wasi_tools.sh.

set -eu

mode=${1:-}
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../../../examples/wasi_tools.sh
. "$here/../../../examples/wasi_tools.sh"

output=$(mktemp -d)
trap 'rm -rf "$output"; [ -n "${WASI_TOOLS:-}" ] || rm -rf "$tools"' EXIT

unpack_debian_packages
cd "$here"
for name in hello actor stream; do
  debian clang --target=wasm32 -std=c17 -O2 -mbulk-memory -ffreestanding -nostdlib \
    -Wall -Wextra -Werror -Wl,--no-entry,--strip-all,-z,stack-size=65536,--stack-first \
    -o "$output/$name.wasm" "$name.c"
  deliver "$output/$name.wasm" "$name.wasm"
done
debian clang --target=wasm32-wasi --sysroot="$tools/debian/usr" -std=gnu17 -Os -s \
  -Wall -Wextra -Werror -o "$output/cgi.wasm" cgi.c
deliver "$output/cgi.wasm" cgi.wasm
sha256sum ./*.wasm
