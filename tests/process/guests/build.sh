#!/bin/sh
# Builds the guests of the tests: clang with a sysroot of WASI.
set -e
cd "$(dirname "$0")"
clang --target=wasm32-wasi --sysroot="${WASI_SYSROOT:-/usr}" -Oz -s \
  -o tour.wasm tour.c
clang --target=wasm32-wasi --sysroot="${WASI_SYSROOT:-/usr}" -Oz -s \
  -o racer.wasm racer.c
