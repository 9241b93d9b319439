import { expect, test } from "vitest";
import { Flashes } from "./flashes";

/** The part of an element that `Flashes` uses. */
const element = () => ({ dataset: {} }) as HTMLElement;
const BRIGHT_UP = { direction: "up", strength: "bright" } as const;
const BRIGHT_DOWN = { direction: "down", strength: "bright" } as const;
const stageOf = (node: HTMLElement) => node.dataset["flash"];

test("a flash is bright, then dim, then off, timed per element", () => {
  let now = 0;
  let requests = 0;
  const flashes = new Flashes(() => now, () => (requests += 1));
  const [first, second] = [element(), element()];
  const at = (time: number) => {
    now = time;
    flashes.fade();
    return [stageOf(first), stageOf(second)];
  };

  flashes.flash(first, BRIGHT_DOWN);
  now = 100;
  flashes.flash(second, BRIGHT_UP);
  expect(at(249)).toEqual(["down-lit", "up-lit"]);
  expect(at(250)).toEqual(["down-dim", "up-lit"]);
  expect(at(599)).toEqual(["down-dim", "up-dim"]);
  expect(at(600)).toEqual(["down-out", "up-dim"]);
  const before = requests;
  expect(at(700)).toEqual(["down-out", "up-out"]);
  expect(requests, "no fade is requested when all flashes are out").toBe(before);
});

test("a value that changes again flashes again for the full time", () => {
  let now = 0;
  const flashes = new Flashes(() => now, () => undefined);
  const node = element();
  flashes.flash(node, BRIGHT_UP);
  now = 400;
  flashes.flash(node, BRIGHT_DOWN);
  now = 649;
  flashes.fade();
  expect(stageOf(node)).toBe("down-lit");
  now = 1_000;
  flashes.fade();
  expect(stageOf(node)).toBe("down-out");
});

test("a faint flash is dim only, also beside a bright one that began before it", () => {
  let now = 0;
  const flashes = new Flashes(() => now, () => undefined);
  const [bright, faint] = [element(), element()];
  flashes.flash(bright, BRIGHT_UP);
  now = 10;
  flashes.flash(faint, { direction: "down", strength: "faint" });
  expect(stageOf(faint)).toBe("down-dim");
  now = 200;
  flashes.fade();
  expect([stageOf(bright), stageOf(faint)]).toEqual(["up-lit", "down-dim"]);
  now = 360;
  flashes.fade();
  expect([stageOf(bright), stageOf(faint)]).toEqual(["up-dim", "down-out"]);
});
