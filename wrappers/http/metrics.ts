/** Counts requests, and tells of them as Prometheus reads it. */

import type { HttpServerStats } from "./types.ts";

/** Upper bounds of the classes of durations, in seconds. */
const BUCKETS: readonly number[] = Object.freeze([
  0.001,
  0.0025,
  0.005,
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  0.5,
  1,
  2.5,
  5,
  10,
]);

/** One request that is over. */
export interface Observation {
  readonly status: number;
  readonly durationMs: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
}

/** Counts requests. */
export class Metrics {
  readonly #statuses = new Map<number, number>();
  /** One for each bound, and one for what is above. */
  readonly #buckets: number[] = [...BUCKETS.map(() => 0), 0];
  #seconds = 0;
  #count = 0;
  #requestBytes = 0;
  #responseBytes = 0;

  /** Requests that were answered with one of some statuses. */
  answered(...statuses: readonly number[]): number {
    return statuses.reduce(
      (sum, status) => sum + (this.#statuses.get(status) ?? 0),
      0,
    );
  }

  /** Counts a request that is over. */
  observe(
    { status, durationMs, requestBytes, responseBytes }: Observation,
  ): void {
    const seconds = durationMs / 1_000;
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
    this.#seconds += seconds;
    this.#count++;
    this.#requestBytes += requestBytes;
    this.#responseBytes += responseBytes;
    let bucket = 0;
    while (seconds > (BUCKETS[bucket] ?? Infinity)) bucket++;
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
  }

  /** All figures, in Prometheus' text format, version 0.0.4. */
  text(stats: HttpServerStats): string {
    const statuses = [...this.#statuses].sort(([a], [b]) => a - b);
    let below = 0;
    const buckets = BUCKETS.map((bound, index) => {
      below += this.#buckets[index] ?? 0;
      return `http_request_duration_seconds_bucket{le="${bound}"} ${below}`;
    });
    return [
      ...about("http_requests_total", "counter", "Requests by status."),
      ...statuses.map(([status, count]) =>
        `http_requests_total{status="${status}"} ${count}`
      ),
      ...about(
        "http_request_duration_seconds",
        "histogram",
        "Time until the last byte was handed over.",
      ),
      ...buckets,
      `http_request_duration_seconds_bucket{le="+Inf"} ${this.#count}`,
      `http_request_duration_seconds_sum ${this.#seconds}`,
      `http_request_duration_seconds_count ${this.#count}`,
      ...one(
        "http_request_body_bytes_total",
        "counter",
        "Bytes of bodies that were read.",
        this.#requestBytes,
      ),
      ...one(
        "http_response_body_bytes_total",
        "counter",
        "Bytes of bodies that were handed over.",
        this.#responseBytes,
      ),
      ...gauges(stats),
      "",
    ].join("\n");
  }
}

function gauges(stats: HttpServerStats): string[] {
  return [
    ...one(
      "http_requests_active",
      "gauge",
      "Requests that are not answered yet.",
      stats.active,
    ),
    ...one(
      "http_requests_queued",
      "gauge",
      "Requests that wait to be worked on.",
      stats.queued,
    ),
    ...one("guest_instances", "gauge", "Guests.", stats.instances),
    ...one(
      "guest_instances_busy",
      "gauge",
      "Guests that are lent.",
      stats.busyInstances,
    ),
    ...one(
      "guest_instances_replaced_total",
      "counter",
      "Guests that ended and were made anew.",
      stats.replacedInstances,
    ),
  ];
}

function one(name: string, type: string, help: string, value: number) {
  return [...about(name, type, help), `${name} ${value}`];
}

function about(name: string, type: string, help: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}
