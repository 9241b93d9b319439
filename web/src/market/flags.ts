import { asSymbol, type StockSymbol } from "@tapecast/client";
import { entriesOf } from "./positions";

/** The flags in the order in which a key goes through them. Each has a colour and a shape of its own. */
export const FLAGS = ["red", "orange", "green", "blue", "purple"] as const;

export type Flag = (typeof FLAGS)[number];

export type Flags = ReadonlyMap<StockSymbol, Flag>;

/** The flag after this one; none after the last. */
export function nextFlag(flag: Flag | undefined): Flag | undefined {
  return flag === undefined ? FLAGS[0] : FLAGS[FLAGS.indexOf(flag) + 1];
}

/** Parses stored flags, ignoring invalid ones. */
export function readFlags(text: string | null): Flags {
  return new Map(
    entriesOf(text).flatMap(([name, stored]) => {
      const [symbol, flag] = [asSymbol(name), FLAGS.find((one) => one === stored)];
      return symbol === undefined || flag === undefined ? [] : [[symbol, flag]];
    }),
  );
}

export const writeFlags = (flags: Flags): string => JSON.stringify(Object.fromEntries(flags));
