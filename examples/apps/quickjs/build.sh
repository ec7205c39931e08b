#!/bin/bash
# Rebuilds quickjs.wasm: QuickJS (MIT licence, LICENSE.quickjs beside this) and main.c.
#
#   examples/apps/quickjs/build.sh [--check]
#
# With --check nothing is written: it must be byte for byte what its sources make. What is needed
# is said in examples/wasi_tools.sh; besides, cargo, which fetches the sources of QuickJS.

set -eu

# quickjs-ng 0.16.2, as this crate carries it. Nothing of the crate itself is built or run.
crate=rquickjs-sys
version=0.14.0
sha256=cee271d0eeba64f0915b846cb7ae02e16faf3dfdffdca91731101d9d30fe3423

mode=${1:-}
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../../wasi_tools.sh
. "$here/../../wasi_tools.sh"

output=$(mktemp -d)
trap 'rm -rf "$output"; [ -n "${WASI_TOOLS:-}" ] || rm -rf "$tools"' EXIT

# Into $tools/quickjs, where it stays for the next time.
fetch_sources() {
  [ -e "$tools/quickjs/$version.done" ] && return
  mkdir -p "$tools/quickjs/src"
  (
    cd "$tools/quickjs"
    printf '[package]\nname = "sources"\nversion = "0.0.0"\nedition = "2021"\n' > Cargo.toml
    printf '[dependencies]\n%s = { version = "=%s", default-features = false }\n' \
      "$crate" "$version" >> Cargo.toml
    touch src/lib.rs
    cargo vendor --quiet --versioned-dirs vendor > vendor.toml
    grep -q "\"package\":\"$sha256\"" "vendor/$crate-$version/.cargo-checksum.json" || {
      echo "$crate $version is not what it was: expected sha256 $sha256" >&2
      exit 1
    }
    touch "$version.done"
  )
}

compile() {
  debian clang --target=wasm32-wasi --sysroot="$tools/debian/usr" -std=gnu17 -Oz -D_GNU_SOURCE \
    "$@"
}

unpack_debian_packages
fetch_sources
engine=$tools/quickjs/vendor/$crate-$version/quickjs
debian clang --version | head -n 1

cd "$here"
{
  printf 'static const char PRELUDE[] = {'
  od -An -v -tx1 prelude.js | sed 's/ \(..\)/0x\1,/g'
  echo '0};'
} > "$output/prelude.h"
# the engine's own code is not held to our warnings: it comes in as a system header
compile -Wall -Wextra -Wno-unused-parameter -Werror -isystem "$engine" -I "$output" \
  -c main.c -o "$output/main.o"
for part in libregexp libunicode dtoa; do
  compile -w -c "$engine/$part.c" -o "$output/$part.o"
done
compile -s -Wl,--export=packed_script,--stack-first,-z,stack-size=1048576 \
  -o "$output/quickjs.wasm" "$output"/*.o

deliver "$output/quickjs.wasm" quickjs.wasm
if [ "$mode" != --check ]; then cp "$engine/LICENSE" LICENSE.quickjs; fi
sha256sum quickjs.wasm
