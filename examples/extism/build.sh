#!/bin/bash
# Rebuilds the plug-ins from their sources: examples/extism/*/*.wasm.
#
#   examples/extism/build.sh
#
# Needs clang and wasm-ld of LLVM 14 or later, Node.js with npm, Deno, and a network. Nothing is
# installed on the machine. The Go plug-in is too large to be kept: go/build.sh makes it.

set -eu

plugins=$(cd "$(dirname "$0")" && pwd)
assemblyscript_version=0.28.20
pdk_version=1.0.0

tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
npm install --silent --no-audit --no-fund --no-save --prefix "$tools" \
  "assemblyscript@$assemblyscript_version" "@extism/as-pdk@$pdk_version"

# The compiler finds the PDK beside the source, and writes no path of the machine.
cp "$plugins/assemblyscript/greet.ts" "$tools/greet.ts"
(cd "$tools" && node node_modules/assemblyscript/bin/asc.js greet.ts -o greet.wasm \
  -O3 --shrinkLevel 1 --converge --runtime incremental --use abort=greet/onAbort)
cp "$tools/greet.wasm" "$plugins/assemblyscript/greet.wasm"

cd "$plugins/c"
clang --target=wasm32 -std=c17 -O2 -ffreestanding -nostdlib -Wall -Wextra -Werror \
  -Wl,--no-entry,-z,stack-size=65536,--stack-first,--strip-all -o probe.wasm probe.c

cd "$plugins/../.."
deno task deno run -A examples/extism/wat/build.ts
chmod 644 examples/extism/*/*.wasm
sha256sum examples/extism/*/*.wasm
