/** What the cases of the suite for runtimes are. */

import type { Runtime, RuntimeFeatures } from "../runtime/types.ts";
import type { Place, SandboxPlace } from "./_runtime_place.ts";

/** What every case has. */
export interface Case {
  /** What the runtime does. */
  readonly name: string;
  /** Whether it applies to a runtime; it does, if left out. */
  applies?(features: RuntimeFeatures): boolean;
}

/** A case of the runtime's own interface. */
export interface RuntimeCase extends Case {
  /** Fails if it does not hold. */
  run(suite: RuntimeUnderTest): Promise<void>;
}

/** A runtime under test. */
export interface RuntimeUnderTest {
  readonly runtime: Runtime;
  /** Opens another of the same kind. */
  readonly open: () => Promise<Runtime>;
}

/** A case of every place that functions can be called in. */
export interface PlaceCase extends Case {
  /** Where alone it is run; everywhere, if left out. */
  readonly where?: Place["name"];
  /** Fails if it does not hold. */
  run(place: Place): Promise<void>;
}

/** A case of every isolation. */
export interface SandboxCase extends Case {
  /** Fails if it does not hold. */
  run(place: SandboxPlace): Promise<void>;
}
