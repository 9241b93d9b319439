import { expect, test } from "vitest";
import { Flashes } from "./flashes";

/** All that a light needs of its element. */
const figure = () => ({ dataset: {} }) as HTMLElement;
const flash = (node: HTMLElement) => node.dataset["flash"];

test("a flash is bright, then dim, then off, timed per element", () => {
  let now = 0;
  let burning = 0;
  const flashes = new Flashes(() => now, () => (burning += 1));
  const [first, second] = [figure(), figure()];
  const at = (time: number) => {
    now = time;
    flashes.fade();
    return [flash(first), flash(second)];
  };

  flashes.light(first, "down");
  now = 100;
  flashes.light(second, "up");
  expect(at(249)).toEqual(["down-lit", "up-lit"]);
  expect(at(250)).toEqual(["down-dim", "up-lit"]);
  expect(at(599)).toEqual(["down-dim", "up-dim"]);
  expect(at(600)).toEqual(["down-out", "up-dim"]);
  const asked = burning;
  expect(at(700)).toEqual(["down-out", "up-out"]);
  expect(burning, "nobody is called back when all are out").toBe(asked);
});

test("a value that changes again flashes again for the full time", () => {
  let now = 0;
  const flashes = new Flashes(() => now, () => undefined);
  const node = figure();
  flashes.light(node, "up");
  now = 400;
  flashes.light(node, "down");
  now = 649;
  flashes.fade();
  expect(flash(node)).toBe("down-lit");
  now = 1_000;
  flashes.fade();
  expect(flash(node)).toBe("down-out");
});
