import type { Millis } from "@tapecast/client";

/** The number of items at the start of an ordered list for which this holds; it holds for none after them. */
export function partitionPoint(length: number, holds: (index: number) => boolean): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The index of the last item at this time or before; -1 if there is none. The items are in order of time. */
export function indexUntil(items: readonly { readonly time: Millis }[], time: number): number {
  return partitionPoint(items.length, (index) => (items[index]?.time ?? 0) <= time) - 1;
}
