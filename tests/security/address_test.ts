// Which addresses are the public internet's.

import { assert, assertEquals, assertFalse } from "@std/assert";
import { canonicalAddress, isPublicAddress } from "../../security/address.ts";

const PUBLIC = [
  "1.1.1.1",
  "9.255.255.255",
  "11.0.0.0",
  "100.63.255.255",
  "100.128.0.0",
  "126.255.255.255",
  "128.0.0.0",
  "169.253.255.255",
  "169.255.0.0",
  "172.15.255.255",
  "172.32.0.0",
  "191.255.255.255",
  "192.0.1.0",
  "192.167.255.255",
  "192.169.0.0",
  "198.17.255.255",
  "198.20.0.0",
  "223.255.255.255",
  "2000::",
  "2001:200::",
  "2001:db7:ffff::1",
  "2001:db9::",
  "2003::",
  "2606:4700:4700::1111",
  "2a00:1450:4001::200e",
  "3ffe:ffff::",
  "3fff:1000::",
];

const SPECIAL = [
  "0.0.0.0",
  "0.255.255.255",
  "10.0.0.0",
  "10.255.255.255",
  "100.64.0.0",
  "100.127.255.255",
  "127.0.0.1",
  "127.255.255.255",
  "169.254.0.0",
  "169.254.169.254",
  "169.254.255.255",
  "172.16.0.0",
  "172.31.255.255",
  "192.0.0.0",
  "192.0.0.255",
  "192.0.2.1",
  "192.88.99.1",
  "192.168.0.0",
  "192.168.255.255",
  "198.18.0.0",
  "198.19.255.255",
  "198.51.100.1",
  "203.0.113.1",
  "224.0.0.0",
  "239.255.255.255",
  "240.0.0.0",
  "255.255.255.255",
  "::",
  "::1",
  "::127.0.0.1",
  "::8.8.8.8",
  "::ffff:127.0.0.1",
  "::ffff:10.0.0.1",
  "::ffff:7f00:1",
  "::ffff:0:127.0.0.1",
  "64:ff9b::8.8.8.8",
  "64:ff9b::127.0.0.1",
  "64:ff9b:1::1",
  "100::1",
  "1fff:ffff::",
  "2001::1",
  "2001:10::1",
  "2001:1ff:ffff::",
  "2001:db8::1",
  "2002:7f00:1::1",
  "2002:808:808::1",
  "3fff::1",
  "4000::",
  "5f00::1",
  "fc00::1",
  "fd12:3456::1",
  "fe80::1",
  "febf::1",
  "fec0::1",
  "ff02::1",
];

Deno.test("isPublicAddress() takes what anybody may have", () => {
  for (const text of PUBLIC) {
    const address = canonicalAddress(text);
    assert(address !== undefined && isPublicAddress(address), text);
  }
});

Deno.test("isPublicAddress() refuses what belongs to somebody", () => {
  for (const text of SPECIAL) {
    const address = canonicalAddress(text);
    assert(address !== undefined, text);
    assertFalse(isPublicAddress(address), text);
  }
});

Deno.test("isPublicAddress() refuses what is no address in its one spelling", () => {
  for (
    const text of ["", "example.com", "::1", "1.1", "0x1.1.1.1", "[::1", "[1]"]
  ) {
    assertFalse(isPublicAddress(text), text);
  }
});

Deno.test("canonicalAddress() has one spelling for each address", () => {
  const spellings: Readonly<Record<string, string | undefined>> = {
    "127.0.0.1": "127.0.0.1",
    "127.1": "127.0.0.1",
    "2130706433": "127.0.0.1",
    "0x7f000001": "127.0.0.1",
    "0177.0.0.1": "127.0.0.1",
    "::ffff:127.0.0.1": "127.0.0.1",
    "0:0:0:0:0:0:0:1": "[::1]",
    "[2001:DB8:0:0::1]": "[2001:db8::1]",
    "fe80::1%eth0": undefined,
    "fe80::1%25eth0": undefined,
    "example.com": undefined,
    "localhost": undefined,
    "": undefined,
    "1.2.3.4.5": undefined,
    "256.0.0.1": undefined,
    "::1::1": undefined,
    "127.0.0.1:80": undefined,
    "127.0.0.1/8": undefined,
    "[::1]:80": undefined,
  };
  for (const [text, expected] of Object.entries(spellings)) {
    assertEquals(canonicalAddress(text), expected, text);
  }
});
