#!/bin/bash
# Rebuilds every guest module from its source: bench/kernels/*.wasm and examples/guests/*/*.wasm.
#
#   examples/guests/build.sh
#
# Needs Debian 12 (bookworm) on amd64 with apt-get and package lists (apt-get update), dpkg,
# Node.js with npm, Python with pip, and a network. Nothing is installed on the machine: the
# packages are unpacked into $GUEST_TOOLS, which is kept and used again, or else into a temporary
# folder. The output does not depend on the folders, so that a second build yields the same bytes.
# The Go guest is too large to be kept: it is only seen to build, if there is a Go.

set -eu

guests=$(cd "$(dirname "$0")" && pwd)
kernels=$(cd "$guests/../../bench/kernels" && pwd)

if [ -n "${GUEST_TOOLS:-}" ]; then
  mkdir -p "$GUEST_TOOLS"
  tools=$(cd "$GUEST_TOOLS" && pwd)
else
  tools=$(mktemp -d)
  trap 'rm -rf "$tools"' EXIT
fi

# Compilers with the libraries that a slim machine lacks. Debian pins the versions.
debian_packages="
  clang-14 libclang-cpp14 libclang-common-14-dev lld-14 libllvm14
  rustc libstd-rust-1.63 libstd-rust-dev-wasm32
  libedit2 libbsd0 libmd0 libz3-4 libxml2 libicu72 libffi8 libtinfo6 libstdc++6 libgcc-s1 zlib1g liblzma5
"
assemblyscript_version=0.28.20
zig_version=0.17.1

unpack_debian_packages() {
  [ -e "$tools/debian.done" ] && return
  mkdir -p "$tools/packages" "$tools/debian"
  # shellcheck disable=SC2086 # the list is split into words on purpose
  (cd "$tools/packages" && apt-get download -qq -o APT::Sandbox::User=root $debian_packages)
  for package in "$tools"/packages/*.deb; do dpkg -x "$package" "$tools/debian"; done
  rm -r "$tools/packages"
  touch "$tools/debian.done"
}

install_assemblyscript() {
  [ -e "$tools/assemblyscript-$assemblyscript_version.done" ] && return
  npm install --silent --no-audit --no-fund --no-save --prefix "$tools" "assemblyscript@$assemblyscript_version"
  touch "$tools/assemblyscript-$assemblyscript_version.done"
}

install_zig() {
  [ -e "$tools/zig-$zig_version.done" ] && return
  python3 -m pip install --quiet --no-deps --upgrade --target "$tools/zig" "ziglang==$zig_version"
  touch "$tools/zig-$zig_version.done"
}

# Runs one of the unpacked programs with the unpacked libraries.
debian() {
  program=$1
  shift
  LD_LIBRARY_PATH="$tools/debian/usr/lib/x86_64-linux-gnu:$tools/debian/lib/x86_64-linux-gnu" \
    PATH="$tools/debian/usr/bin:$tools/debian/usr/lib/llvm-14/bin:$PATH" "$program" "$@"
}

# Sources are named relative to the current folder: no path of the machine is in the output.
build_c() {
  source=$1
  shift
  debian clang --target=wasm32 -std=c17 -O2 -mbulk-memory -ffreestanding -nostdlib \
    -Wall -Wextra -Wconversion -Wno-sign-conversion -Werror \
    -Wl,--no-entry,-z,stack-size=65536,--stack-first "$@" -o "${source%.c}.wasm" "$source"
}

# The second program is Binaryen's, which comes with AssemblyScript: it saves a tenth.
build_rust() {
  output=${1%.rs}.wasm
  debian rustc --sysroot "$tools/debian/usr" --target wasm32-unknown-unknown --edition 2021 \
    --crate-type cdylib --remap-path-prefix "$tools=/tools" -C linker=wasm-ld \
    -C link-arg=-zstack-size=65536 -C opt-level=z -C panic=abort -C lto=fat -C codegen-units=1 \
    -C strip=symbols -o "$output" "$1"
  "$tools/node_modules/.bin/wasm-opt" -Oz "$output" -o "$output"
}

# `--use abort=` makes a failed assertion trap, where the default imports env.abort.
build_assemblyscript() {
  node "$tools/node_modules/assemblyscript/bin/asc.js" "$1" -o "${1%.ts}.wasm" \
    -O3 --shrinkLevel 1 --converge --runtime incremental --use abort=
}

# The library is a module of its own: a source may not import from above its root.
build_zig() {
  "$tools/zig/ziglang/zig" build-exe -target wasm32-freestanding -O ReleaseSmall -fno-entry -rdynamic \
    -fstrip --stack 65536 --cache-dir "$tools/zig-cache" --global-cache-dir "$tools/zig-cache" \
    --dep wasm_sandbox -Mroot="$1" -Mwasm_sandbox=../../../communication/guest/zig/wasm_sandbox.zig \
    -femit-bin="${1%.zig}.wasm"
}

print_versions() {
  debian clang --version | head -n 1
  debian wasm-ld --version
  debian rustc --version
  node "$tools/node_modules/assemblyscript/bin/asc.js" --version
  "$tools/zig/ziglang/zig" version
}

unpack_debian_packages
install_assemblyscript
install_zig
print_versions

cd "$kernels"
for source in *.c; do build_c "$source" -Wl,--strip-all; done

# The C guest keeps its name section, so that tests and stack traces have one to show.
cd "$guests/c" && build_c text_stats.c
for source in toolbox.c rpc.c; do build_c "$source" -Wl,--strip-all; done
cd "$guests/rust" && build_rust slugify.rs && build_rust toolbox.rs
cd "$guests/assemblyscript" && build_assemblyscript primes.ts && build_assemblyscript toolbox.ts
cd "$guests/zig" && build_zig toolbox.zig
if command -v go > /dev/null; then
  go version
  "$guests/go/build.sh" "$tools/toolbox_go.wasm"
fi

cd "$guests/../.."
chmod 644 bench/kernels/*.wasm examples/guests/*/*.wasm
sha256sum bench/kernels/*.wasm examples/guests/*/*.wasm
