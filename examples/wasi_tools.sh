# Compilers for WASI programs; sourced by examples/programs/build.sh and
# examples/hostile/wasi/build.sh.
#
# Needs Debian 12 (bookworm) on amd64 with apt-get and package lists (apt-get update), dpkg, and a
# network. Nothing is installed on the machine: the packages are unpacked into $WASI_TOOLS, which
# is kept and used again, or else into a temporary folder. Debian pins the versions.

if [ -n "${WASI_TOOLS:-}" ]; then
  mkdir -p "$WASI_TOOLS"
  tools=$(cd "$WASI_TOOLS" && pwd)
else
  tools=$(mktemp -d)
  trap 'rm -rf "$tools"' EXIT
fi

debian_packages="
  clang-14 libclang-cpp14 libclang-common-14-dev lld-14 libllvm14 wasi-libc libclang-rt-14-dev-wasm32
  rustc libstd-rust-1.63 libstd-rust-dev-wasm32
  libedit2 libbsd0 libmd0 libz3-4 libxml2 libicu72 libffi8 libtinfo6 libstdc++6 libgcc-s1 zlib1g liblzma5
"

unpack_debian_packages() {
  [ -e "$tools/debian.done" ] && return
  mkdir -p "$tools/packages" "$tools/debian"
  # shellcheck disable=SC2086 # the list is split into words on purpose
  (cd "$tools/packages" && apt-get download -qq -o APT::Sandbox::User=root $debian_packages)
  for package in "$tools"/packages/*.deb; do dpkg -x "$package" "$tools/debian"; done
  rm -r "$tools/packages"
  touch "$tools/debian.done"
}

# Runs one of the unpacked programs with the unpacked libraries.
debian() {
  program=$1
  shift
  LD_LIBRARY_PATH="$tools/debian/usr/lib/x86_64-linux-gnu:$tools/debian/lib/x86_64-linux-gnu" \
    PATH="$tools/debian/usr/bin:$tools/debian/usr/lib/llvm-14/bin:$PATH" "$program" "$@"
}

# Compares what was built with what lies beside the sources (`--check`), or puts it there.
deliver() {
  built=$1
  target=$2
  chmod 644 "$built"
  if [ "${mode:-}" = --check ]; then
    cmp "$built" "$target" || { echo "$target is not what its source makes" >&2; exit 1; }
  else
    cp "$built" "$target"
  fi
}
