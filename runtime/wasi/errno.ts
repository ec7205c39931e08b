/**
 * The error numbers of WASI preview 1.
 *
 * @module
 */

/** Each error's number, as `wasi_snapshot_preview1` gives them. */
export const ERRNO = Object.freeze(
  {
    SUCCESS: 0,
    TOOBIG: 1,
    ACCES: 2,
    ADDRINUSE: 3,
    ADDRNOTAVAIL: 4,
    AFNOSUPPORT: 5,
    AGAIN: 6,
    ALREADY: 7,
    BADF: 8,
    BADMSG: 9,
    BUSY: 10,
    CANCELED: 11,
    CHILD: 12,
    CONNABORTED: 13,
    CONNREFUSED: 14,
    CONNRESET: 15,
    DEADLK: 16,
    DESTADDRREQ: 17,
    DOM: 18,
    DQUOT: 19,
    EXIST: 20,
    FAULT: 21,
    FBIG: 22,
    HOSTUNREACH: 23,
    IDRM: 24,
    ILSEQ: 25,
    INPROGRESS: 26,
    INTR: 27,
    INVAL: 28,
    IO: 29,
    ISCONN: 30,
    ISDIR: 31,
    LOOP: 32,
    MFILE: 33,
    MLINK: 34,
    MSGSIZE: 35,
    MULTIHOP: 36,
    NAMETOOLONG: 37,
    NETDOWN: 38,
    NETRESET: 39,
    NETUNREACH: 40,
    NFILE: 41,
    NOBUFS: 42,
    NODEV: 43,
    NOENT: 44,
    NOEXEC: 45,
    NOLCK: 46,
    NOLINK: 47,
    NOMEM: 48,
    NOMSG: 49,
    NOPROTOOPT: 50,
    NOSPC: 51,
    NOSYS: 52,
    NOTCONN: 53,
    NOTDIR: 54,
    NOTEMPTY: 55,
    NOTRECOVERABLE: 56,
    NOTSOCK: 57,
    NOTSUP: 58,
    NOTTY: 59,
    NXIO: 60,
    OVERFLOW: 61,
    OWNERDEAD: 62,
    PERM: 63,
    PIPE: 64,
    PROTO: 65,
    PROTONOSUPPORT: 66,
    PROTOTYPE: 67,
    RANGE: 68,
    ROFS: 69,
    SPIPE: 70,
    SRCH: 71,
    STALE: 72,
    TIMEDOUT: 73,
    TXTBSY: 74,
    XDEV: 75,
    NOTCAPABLE: 76,
  } as const,
);

/** Name of an error of WASI. */
export type ErrnoName = keyof typeof ERRNO;

/**
 * A failure that the guest is told as a number. It is thrown within the WASI
 * layer and never leaves it.
 */
export class WasiError extends Error {
  /** Which error. */
  readonly errno: ErrnoName;

  /**
   * Constructs it.
   *
   * @param errno Which error.
   * @param options The cause, if there is one.
   */
  constructor(errno: ErrnoName, options?: ErrorOptions) {
    super(errno, options);
    this.errno = errno;
  }
}

/**
 * A failure that is how a mount is meant to be, and no accident: it is recorded
 * as denied, with its reason.
 */
export class Refusal extends WasiError {
  /** Why, as an audit event says it. */
  readonly reason: string;

  /**
   * Constructs it.
   *
   * @param errno What the guest is told.
   * @param reason What the audit is told.
   */
  constructor(errno: ErrnoName, reason: string) {
    super(errno);
    this.reason = reason;
  }
}
