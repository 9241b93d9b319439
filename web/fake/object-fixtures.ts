import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One object of a data channel, encoded by the server. */
export interface ObjectFixture {
  /** The channel as in a subscription. It may be one that this client does not read. */
  readonly channel: string;
  /** The object on the wire. */
  readonly json: string;
  /** The names of its fields. */
  readonly fields: readonly string[];
}

/** Generated from the server's declaration of the objects; used in place of the written fixtures if it exists. */
const GENERATED = join(import.meta.dirname, "../src/wire/objects.json");

const WRITTEN: Readonly<Record<string, string>> = {
  trades:
    '{"T":"t","S":"AAPL","i":7,"x":"V","p":187.25,"s":100,"c":["@"],"z":"C","t":"2026-11-20T14:30:00.123456789Z","sq":8,"cf":2}',
  quotes:
    '{"T":"q","S":"AAPL","bx":"V","bp":187.2,"bs":300,"ax":"V","ap":187.3,"as":200,"c":["R"],"z":"C","t":"2026-11-20T14:30:00Z"}',
  bars:
    '{"T":"b","S":"AAPL","o":1,"h":4,"l":0.5,"c":2,"v":1000,"n":9,"vw":1.5,"t":"2026-11-20T14:30:00Z"}',
  updatedBars:
    '{"T":"u","S":"AAPL","o":1,"h":4,"l":0.5,"c":2,"v":1000,"n":9,"vw":1.5,"t":"2026-11-20T14:30:00Z"}',
  dailyBars:
    '{"T":"d","S":"BRK.B","o":1,"h":4,"l":0.5,"c":2,"v":1000,"n":9,"vw":1.5,"t":"2026-11-20T05:00:00Z","sq":1}',
  statuses:
    '{"T":"s","S":"AAPL","sc":"H","sm":"Trading Halt","rc":"T1","rm":"News Pending","z":"C","t":"2026-11-20T14:30:00Z"}',
  tickers:
    '{"T":"k","S":"AAPL","p":187.5,"s":40,"bp":187.49,"bs":300,"ap":187.51,"as":200,"o":186,"h":188,"l":185.5,"pc":186.2,"v":1000,"n":20,"vw":187,"sq":9,"cf":3,"t":"2026-11-20T14:30:00Z","sn":true}',
};

/** At least one object of every data channel. */
export function objectFixtures(): readonly ObjectFixture[] {
  if (existsSync(GENERATED)) return JSON.parse(readFileSync(GENERATED, "utf8")) as readonly ObjectFixture[];
  return Object.entries(WRITTEN).map(([channel, json]) => ({ channel, json, fields: Object.keys(JSON.parse(json) as object) }));
}
