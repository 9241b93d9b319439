import { expect, test } from "vitest";
import { TickFlashes, type TickFlash } from "./tick-flash";

const FRAME_MS = 1_000 / 60;

/** The flashes of a figure that changes in every frame, with their times. */
function flashesOf(valueOf: (frame: number) => number, frames: number): readonly { readonly at: number; readonly flash: TickFlash }[] {
  const ticks = new TickFlashes();
  return Array.from({ length: frames }, (_, frame) => frame).flatMap((frame) => {
    const flash = ticks.change(valueOf(frame), frame * FRAME_MS);
    return flash === undefined ? [] : [{ at: frame * FRAME_MS, flash }];
  });
}

test("the first value does not flash, and a figure at rest flashes brightly in the direction of each change", () => {
  const ticks = new TickFlashes();

  expect(ticks.change(10, 0)).toBeUndefined();
  expect(ticks.change(10.01, 5_000)).toEqual({ direction: "up", strength: "bright" });
  expect(ticks.change(10, 8_000)).toEqual({ direction: "down", strength: "bright" });
});

test("a change soon after another one does not flash", () => {
  const ticks = new TickFlashes();
  ticks.change(10, 0);
  ticks.change(11, 5_000);

  expect(ticks.change(12, 5_250)).toBeUndefined();
  expect(ticks.change(13, 5_500)).toBeUndefined();
});

test("after a rest the direction is that of the last change, whatever came before it", () => {
  const ticks = new TickFlashes();
  ticks.change(10, 0);
  ticks.change(11, 5_000);
  ticks.change(14, 5_250);

  expect(ticks.change(13, 9_000)).toEqual({ direction: "down", strength: "bright" });
});

test("a figure that changes in every frame flashes faintly, at most once per second", () => {
  const flashes = flashesOf((frame) => Math.sin(frame * 12.9898) + frame / 500, 60 * 60);

  expect(flashes.length).toBeGreaterThan(5);
  expect(flashes.every(({ flash }) => flash.strength === "faint")).toBe(true);
  const distances = flashes.slice(1).map(({ at }, index) => at - (flashes[index]?.at ?? 0));
  expect(Math.min(...distances)).toBeGreaterThanOrEqual(1_000);
});

test("a busy figure that returns to where it was does not flash, and a large move does", () => {
  const jumpAt = 60 * 30;
  const flashes = flashesOf((frame) => 100 + (frame % 2) * 0.01 + (frame >= jumpAt ? 5 : 0), 60 * 40);
  const after = flashes.filter(({ at }) => at >= jumpAt * FRAME_MS);

  expect(after[0]?.flash).toEqual({ direction: "up", strength: "faint" });
  expect(after.length, "the moves after the jump are smaller than what is usual since").toBe(1);
});

test("figures of one feed do not flash in step", () => {
  const noise = (seed: number) => (frame: number) => Math.sin((frame + 1) * seed) * 43_758.5453 % 1;
  const seconds = [12.9898, 78.233, 37.719, 93.17].map((seed) => flashesOf(noise(seed), 60 * 30).map(({ at }) => Math.floor(at / 1_000)));
  const [first, ...others] = seconds;

  for (const other of others) expect(other).not.toEqual(first);
});
