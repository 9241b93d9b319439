import { expect, test } from "vitest";
import { START, symbol } from "../../fake/builders";
import { epoch, millis, price, seq, type Alert, type AlertFire } from "@tapecast/client";
import { AlertBook, directionTo, levelPrice, readLevel } from ".";

const AAPL = symbol("AAPL");
const ALERT: Alert = { id: "a1", symbol: AAPL, condition: { measure: "price", direction: "rise", level: 190 }, once: true };
const FIRE: AlertFire = { id: "a1", symbol: AAPL, price: price(190.02), seq: seq(9), time: millis(START), merged: 0 };

test("alerts, those that fired and the choices outlive the page", () => {
  const book = AlertBook.fromText(null);
  book.keep([{ alert: ALERT, seen: { epoch: epoch("k3"), seq: seq(7) } }, { alert: { ...ALERT, id: "b", once: false }, seen: undefined }]);
  book.record(ALERT, FIRE);
  book.sound = true;
  const read = AlertBook.fromText(book.toText());

  expect([read.alerts, read.fired, read.sound, read.notification]).toEqual([book.alerts, book.fired, true, false]);
});

test.each([null, "", "7", "null", "{", '{"alerts":7,"fired":[{}]}', '{"alerts":[null,{"id":1},{"id":"a","symbol":"A B"}]}'])("stored %j is no alert", (text) => {
  const book = AlertBook.fromText(text);

  expect([book.alerts, book.fired, book.sound, book.notification]).toEqual([[], [], false, false]);
});

test("a symbol is marked by an alert that is set, and by one that fired until it is seen", () => {
  const book = AlertBook.fromText(null);
  expect(book.markOf(AAPL)).toBe("none");
  book.keep([{ alert: ALERT, seen: undefined }]);
  expect(book.markOf(AAPL)).toBe("set");

  book.record(ALERT, FIRE);
  expect([book.markOf(AAPL), book.unseen]).toEqual(["fired", 1]);
  book.markSeen();
  expect([book.markOf(AAPL), book.unseen]).toEqual(["set", 0]);
});

test("one that another tab recorded is recorded once", () => {
  const book = AlertBook.fromText(null);

  expect([book.record(ALERT, FIRE), book.record(ALERT, FIRE), book.record(ALERT, { ...FIRE, seq: seq(10) })]).toEqual([true, false, true]);
  expect(book.fired.map((one) => one.seq)).toEqual([10, 9]);
});

test.each([
  ["price", "190.5", 190.5],
  ["price", " 190,5 ", 190.5],
  ["price", "0", undefined],
  ["price", "-1", undefined],
  ["price", "1e3", undefined],
  ["price", "", undefined],
  ["change", "-5%", -5],
  ["change", "+2.5", 2.5],
  ["change", "−3", -3],
  ["change", "-101", undefined],
] as const)("a %s typed as `%s` is %s", (measure, typed, level) => {
  expect(readLevel(measure, typed)).toBe(level);
});

test("the price of a change follows from the previous close, and the direction from the last price", () => {
  const change = { measure: "change", direction: "fall", level: -5 } as const;

  expect(levelPrice(change, price(200))).toBe(190);
  expect(levelPrice(change, undefined)).toBeUndefined();
  expect(levelPrice(ALERT.condition, undefined)).toBe(190);
  expect([directionTo(190, 180), directionTo(170, 180), directionTo(180, undefined)]).toEqual(["rise", "fall", "rise"]);
});
