#!/bin/bash
# Builds the Go guest, which is too large to be kept, with the Go (1.24 or later) that is at hand.
#
#   examples/guests/go/build.sh OUTPUT

set -eu

output=$(realpath -m "$1")
cd "$(dirname "$0")"
GOOS=wasip1 GOARCH=wasm GOTOOLCHAIN=local GOFLAGS=-mod=mod GOWORK=off \
  go build -buildmode=c-shared -trimpath -buildvcs=false -ldflags='-s -w -buildid=' -o "$output" .
