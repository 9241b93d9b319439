/** The city of an exchange. */
export interface City {
  /** As in the topic of its weather, `weather:new-york`. */
  readonly id: CityId;
  /** The name in the IANA time zone database. */
  readonly timeZone: string;
}

export type CityId = "new-york" | "london" | "frankfurt" | "tokyo" | "hong-kong" | "shanghai";

const NEW_YORK: City = { id: "new-york", timeZone: "America/New_York" };

const TOKYO: City = { id: "tokyo", timeZone: "Asia/Tokyo" };

/** By the names of exchanges in lists of instruments. One without a name is of the market that the protocol is made for. */
const CITIES: Readonly<Partial<Record<string, City>>> = {
  ...Object.fromEntries(["", "NASDAQ", "NYSE", "ARCA", "NYSEARCA", "AMEX", "BATS", "IEX", "OTC"].map((name) => [name, NEW_YORK])),
  ...Object.fromEntries(["TSE", "JPX"].map((name) => [name, TOKYO])),
  LSE: { id: "london", timeZone: "Europe/London" },
  XETRA: { id: "frankfurt", timeZone: "Europe/Berlin" },
  HKEX: { id: "hong-kong", timeZone: "Asia/Hong_Kong" },
  SSE: { id: "shanghai", timeZone: "Asia/Shanghai" },
};

/** The city of the exchange of this name; undefined if it is not known. */
export const cityOf = (exchange: string): City | undefined => CITIES[exchange.toUpperCase()];
