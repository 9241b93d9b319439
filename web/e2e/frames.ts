import type { Page } from "playwright-core";

/** The frames of a page since they were last taken. */
export interface Frames {
  readonly count: number;
  /** The longest time between two of them. */
  readonly longest: number;
  readonly over50: number;
}

/** Counters a page's frames where they are drawn, from now on. */
export async function watchFrames(page: Page): Promise<void> {
  await page.evaluate(() => {
    const frames = { count: 0, longest: 0, over50: 0 };
    let last: number | undefined;
    const turn = (now: number) => {
      const took = now - (last ?? now);
      last = now;
      frames.count += 1;
      frames.longest = Math.max(frames.longest, took);
      // Three frames of a sixtieth of a second are 50.0 and a rounding.
      if (took > 50.5) frames.over50 += 1;
      requestAnimationFrame(turn);
    };
    requestAnimationFrame(turn);
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

/** Bytes of the page's scripts, after what nobody needs has been swept up. */
export async function heapOf(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  await session.detach();
  return usedSize;
}
