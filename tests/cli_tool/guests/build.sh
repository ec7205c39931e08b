#!/bin/bash
# Rebuilds the guest of these tests.
#
#   tests/cli_tool/guests/build.sh
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
debian clang --target=wasm32-wasi --sysroot="$tools/debian/usr" -std=gnu17 -Os -s \
  -Wall -Wextra -Werror -Wno-infinite-recursion -o "$output/actor.wasm" actor.c
deliver "$output/actor.wasm" actor.wasm
sha256sum ./*.wasm
