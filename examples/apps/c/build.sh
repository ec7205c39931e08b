#!/bin/bash
# Rebuilds mdtext.wasm.
#
#   examples/apps/c/build.sh [--check]
#
# With --check nothing is written: it must be byte for byte what its source makes. What is needed
# is said in examples/wasi_tools.sh.

set -eu

mode=${1:-}
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../../wasi_tools.sh
. "$here/../../wasi_tools.sh"

output=$(mktemp -d)
trap 'rm -rf "$output"; [ -n "${WASI_TOOLS:-}" ] || rm -rf "$tools"' EXIT

unpack_debian_packages
cd "$here"
debian clang --target=wasm32-wasi --sysroot="$tools/debian/usr" -std=gnu17 -Os -s \
  -Wall -Wextra -Werror -o "$output/mdtext.wasm" mdtext.c
deliver "$output/mdtext.wasm" mdtext.wasm
sha256sum mdtext.wasm
