#!/bin/bash
# Rebuilds the programs from their sources: examples/programs/{c,rust}/*.wasm.
#
#   examples/programs/build.sh [--check]
#
# With --check nothing is written: each must be byte for byte what its source makes. What is
# needed is said in examples/wasi_tools.sh. The Go program is too large to be kept; see
# `go/build.sh`.

set -eu

mode=${1:-}
programs=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../wasi_tools.sh
. "$programs/../wasi_tools.sh"

output=$(mktemp -d)
trap 'rm -rf "$output"; [ -n "${WASI_TOOLS:-}" ] || rm -rf "$tools"' EXIT

# Sources are named relative to the current folder: no path of the machine is in the output.
build_c() {
  name=$1
  shift
  debian clang --target=wasm32-wasi --sysroot="$tools/debian/usr" -std=gnu17 -O2 -s \
    -Wall -Wextra -Werror "$@" -o "$output/$name.wasm" "$name.c"
  deliver "$output/$name.wasm" "$name.wasm"
}

build_rust() {
  debian rustc --sysroot "$tools/debian/usr" --target wasm32-wasi --edition 2021 \
    --remap-path-prefix "$tools=/tools" -C linker=wasm-ld -C opt-level=z -C panic=abort \
    -C lto=fat -C codegen-units=1 -C strip=symbols -o "$output/$1.wasm" "$1.rs"
  deliver "$output/$1.wasm" "$1.wasm"
}

unpack_debian_packages
debian clang --version | head -n 1
debian rustc --version

cd "$programs/c"
build_c logreport
build_c copy
build_c ledger -mexec-model=reactor
cd "$programs/rust"
build_rust wordfreq

cd "$programs/../.."
sha256sum examples/programs/*/*.wasm
