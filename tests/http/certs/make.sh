#!/bin/sh
# Makes the certificates anew: an authority, and a server's for secure.test and
# 127.0.0.1. They hold for a hundred years and protect nothing.
set -eu
cd "$(dirname "$0")"
curve="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
openssl req -x509 $curve -keyout ca.key -out ca.pem -days 36500 \
  -subj "/CN=Test authority" -addext "keyUsage=critical,keyCertSign"
openssl req $curve -keyout server.key -out server.csr -subj "/CN=secure.test"
printf '%s\n' "subjectAltName=DNS:secure.test,IP:127.0.0.1" \
  "basicConstraints=CA:FALSE" "extendedKeyUsage=serverAuth" > server.ext
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial \
  -out server.pem -days 36500 -extfile server.ext
rm -f ca.key ca.srl server.csr server.ext
