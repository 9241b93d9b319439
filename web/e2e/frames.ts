import type { Page } from "playwright-core";

/** Frame statistics of a page since the last call of `takeFrames`. */
export interface Frames {
  readonly count: number;
  /** The longest time between two frames, in milliseconds. */
  readonly longest: number;
  readonly over50: number;
}

/** Starts counting frames in the page. */
export async function watchFrames(page: Page): Promise<void> {
  await page.evaluate(() => {
    const frames = { count: 0, longest: 0, over50: 0 };
    let last: number | undefined;
    const onFrame = (now: number) => {
      const took = now - (last ?? now);
      last = now;
      frames.count += 1;
      frames.longest = Math.max(frames.longest, took);
      // Three frames at 60 Hz are 50.0 ms plus rounding.
      if (took > 50.5) frames.over50 += 1;
      requestAnimationFrame(onFrame);
    };
    requestAnimationFrame(onFrame);
    Object.assign(globalThis, {
      takeFrames: () => {
        const taken = { ...frames };
        Object.assign(frames, { count: 0, longest: 0, over50: 0 });
        return taken;
      },
    });
  });
}

export const takeFrames = (page: Page): Promise<Frames> => page.evaluate(() => (globalThis as unknown as { takeFrames: () => Frames }).takeFrames());

/** The size of the page's JavaScript heap in bytes, after a garbage collection. */
export async function heapOf(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  await session.detach();
  return usedSize;
}
