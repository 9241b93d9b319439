import { millis, runtimeOf, type Millis, type Runtime } from "@tapecast/client";

/** The browser as the client's runtime, in the page and in its workers. */
export const runtime: Runtime = { ...runtimeOf(globalThis), now: wallClock() };

/**
 * A wall clock with sub-millisecond resolution.
 *
 * `Date.now` has whole milliseconds. `performance.now` is finer, but drifts from the wall clock when the machine sleeps
 * or the clock is set, so it is aligned to `Date.now` whenever the two differ by more than 2 ms.
 */
function wallClock(): () => Millis {
  let offset = performance.timeOrigin;
  return () => {
    const coarse = Date.now();
    if (Math.abs(performance.now() + offset - coarse) > 2) offset = coarse + 0.5 - performance.now();
    return millis(performance.now() + offset);
  };
}
