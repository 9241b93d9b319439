import { expect, test } from "vitest";
import { Flashes } from "./flashes";

/** The part of an element that `Flashes` uses. */
const element = () => ({ dataset: {} }) as HTMLElement;
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

  flashes.flash(first, "down");
  now = 100;
  flashes.flash(second, "up");
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
  flashes.flash(node, "up");
  now = 400;
  flashes.flash(node, "down");
  now = 649;
  flashes.fade();
  expect(stageOf(node)).toBe("down-lit");
  now = 1_000;
  flashes.fade();
  expect(stageOf(node)).toBe("down-out");
});
