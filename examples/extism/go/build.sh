#!/bin/bash
# Builds the Go plug-in, which is too large to be kept, with the Go that is at hand.
#
#   examples/extism/go/build.sh OUTPUT

set -eu

output=$(realpath -m "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$(dirname "$0")"/{go.mod,main.go} "$work"
cd "$work"
GOOS=wasip1 GOARCH=wasm GOTOOLCHAIN=local GOFLAGS=-mod=mod \
  go build -buildmode=c-shared -trimpath -buildvcs=false -ldflags='-s -w -buildid=' -o "$output" .
