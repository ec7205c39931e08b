#!/bin/bash
# Builds the Go program, which is too large to be kept, with the Go that is at hand.
#
#   examples/apps/go/build.sh OUTPUT

set -eu

output=$(realpath -m "$1")
cd "$(dirname "$0")"
GOOS=wasip1 GOARCH=wasm GOTOOLCHAIN=local GOFLAGS=-mod=mod \
  go build -trimpath -buildvcs=false -ldflags='-s -w -buildid=' -o "$output" .
