/**
 * The versions of Wasmtime that can be installed, and what their libraries must
 * be, byte for byte.
 *
 * The checksums are of the shared library alone, as the wheels of the Python
 * package hold it: its build takes the library unchanged out of the archive of
 * Wasmtime's release, so that one checksum is right for both.
 *
 * @module
 */

/** An operating system and a processor that a library is pinned for. */
export type Platform =
  | "linux-x86_64"
  | "linux-aarch64"
  | "darwin-x86_64"
  | "darwin-aarch64"
  | "windows-x86_64"
  | "windows-aarch64";

/** What a library must be. */
export interface PinnedLibrary {
  /** Its length. */
  readonly bytes: number;
  /** SHA-256 of its bytes, in hexadecimal digits. */
  readonly sha256: string;
}

/** A version of Wasmtime that can be installed. */
export interface PinnedVersion {
  /**
   * Version of the Python package that holds it: the package counts its own
   * corrections too.
   */
  readonly wheel: string;
  /** The library of each platform. */
  readonly libraries: Readonly<Record<Platform, PinnedLibrary>>;
}

/** The version that is installed if none is asked for. */
export const WASMTIME_VERSION = "49.0.0";

/** All that can be installed, the preferred first. */
export const PINNED_VERSIONS: Readonly<Record<string, PinnedVersion>> = Object
  .freeze({
    "49.0.0": {
      wheel: "49.0.0",
      libraries: {
        "linux-x86_64": {
          bytes: 31_590_960,
          sha256:
            "9594714d3c73c3087ab3d42d9614cf72973b25c181b8625ffcc46a8a75972d7e",
        },
        "linux-aarch64": {
          bytes: 27_854_992,
          sha256:
            "9c8fb2de6dc11bba478e010f2b35849651ad047ebd80ec0cf695816b2e66f322",
        },
        "darwin-x86_64": {
          bytes: 28_898_672,
          sha256:
            "e281e957cb19801186c938ca48c5c18fdfecf9a3446c90f29eb960103be49b5e",
        },
        "darwin-aarch64": {
          bytes: 25_460_800,
          sha256:
            "2cc7e37719916a84fb6c6b5e6cb6746817204e80d5a64b2c2ccff5db065b7c13",
        },
        "windows-x86_64": {
          bytes: 22_382_592,
          sha256:
            "fed9c7984a8fc0d4bf3a11356b4ce6bc9f7b2317a13c233b0eaf08d8a9fca9df",
        },
        "windows-aarch64": {
          bytes: 17_230_848,
          sha256:
            "aab674c11b07cdaa85649fcf39c92c03252d06242cc5d4b58b1cdc9129295aad",
        },
      },
    },
    "50.0.0": {
      wheel: "50.0.1",
      libraries: {
        "linux-x86_64": {
          bytes: 29_673_400,
          sha256:
            "3127ca42fe7cdd3f0a43a358e79177dcfedd46c1746329826403b9d854de6178",
        },
        "linux-aarch64": {
          bytes: 25_966_376,
          sha256:
            "4777b787fcc6651c98130ccc7c8ce9160faba5f3b34918886785a43094026fc9",
        },
        "darwin-x86_64": {
          bytes: 26_815_560,
          sha256:
            "aaa18016fcb37d9794b6df8c263f03c7ae42870d2fc4ede73e6ad7f855b215e3",
        },
        "darwin-aarch64": {
          bytes: 23_517_920,
          sha256:
            "a69fa55d4600958e3c95a25dd552cfc83105a6288fea764f37a87c578806cd85",
        },
        "windows-x86_64": {
          bytes: 21_257_216,
          sha256:
            "bb9576481331d8ebffe308048bfe26b45e544552783a9868e971a9c38c08e726",
        },
        "windows-aarch64": {
          bytes: 16_143_872,
          sha256:
            "774a90ede6ef68c4bb0813ed621f6899942b62a9237478752f4fd70e08f81d66",
        },
      },
    },
  });
