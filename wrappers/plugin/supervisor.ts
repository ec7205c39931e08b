/** Decides when a plugin that fails again and again gets calls. */

import type { SupervisionOptions } from "./types.ts";

/** What came of a failure. */
export interface FailureVerdict {
  /** Failures in a row, this one included. */
  readonly failures: number;
  /** For how long there are no calls. */
  readonly retryAfterMs: number;
  /** Whether this failure was the last that is borne. */
  readonly isQuarantined: boolean;
}

/** Counts failures in a row. It has no timers: it looks at the clock when asked. */
export class Supervisor {
  readonly #options: Required<SupervisionOptions>;
  readonly #now: () => number;
  #failures = 0;
  #lastFailure = -Infinity;
  #retryAt = -Infinity;
  #quarantined = false;

  constructor(
    options: Required<SupervisionOptions>,
    now: () => number = () => performance.now(),
  ) {
    this.#options = options;
    this.#now = now;
  }

  /** Whether there are no calls at all. */
  get isQuarantined(): boolean {
    return this.#quarantined;
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** For how many milliseconds there are no calls; 0 if there are. */
  get retryAfterMs(): number {
    return Math.max(0, this.#retryAt - this.#now());
  }

  /** A call has ended well: the row is over, unless it was in quarantine. */
  succeeded(): void {
    if (this.#failures === 0 || this.#quarantined) return;
    this.reset();
  }

  /** A guest has failed. */
  failed(): FailureVerdict {
    const { backoffMs, maxBackoffMs, quarantineAfter, healthyAfterMs } =
      this.#options;
    const now = this.#now();
    if (!this.#quarantined && now - this.#lastFailure > healthyAfterMs) {
      this.#failures = 0;
    }
    this.#failures++;
    this.#lastFailure = now;
    // the first failure in a row costs nobody any time
    const retryAfterMs = this.#failures < 2 ? 0 : Math.min(
      maxBackoffMs,
      backoffMs * 2 ** Math.min(this.#failures - 2, 40),
    );
    this.#retryAt = now + retryAfterMs;
    const wasQuarantined = this.#quarantined;
    this.#quarantined ||= this.#failures >= quarantineAfter;
    return {
      failures: this.#failures,
      retryAfterMs,
      isQuarantined: this.#quarantined && !wasQuarantined,
    };
  }

  /** Forgets everything. */
  reset(): void {
    this.#failures = 0;
    this.#lastFailure = -Infinity;
    this.#retryAt = -Infinity;
    this.#quarantined = false;
  }
}
