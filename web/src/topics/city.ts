/** The city of an exchange. */
export interface City {
  /** As in the topic of its weather, `weather:new-york`. */
  readonly id: CityId;
  /** The name in the IANA time zone database. */
  readonly timeZone: string;
}

/** The cities of which the server publishes the weather, with their time zones. */
const TIME_ZONES = {
  amsterdam: "Europe/Amsterdam",
  chicago: "America/Chicago",
  frankfurt: "Europe/Berlin",
  "hong-kong": "Asia/Hong_Kong",
  johannesburg: "Africa/Johannesburg",
  london: "Europe/London",
  madrid: "Europe/Madrid",
  mumbai: "Asia/Kolkata",
  "new-york": "America/New_York",
  paris: "Europe/Paris",
  "sao-paulo": "America/Sao_Paulo",
  seoul: "Asia/Seoul",
  shanghai: "Asia/Shanghai",
  singapore: "Asia/Singapore",
  sydney: "Australia/Sydney",
  tokyo: "Asia/Tokyo",
  toronto: "America/Toronto",
  zurich: "Europe/Zurich",
} as const;

export type CityId = keyof typeof TIME_ZONES;

/**
 * The exchanges of each city, by their usual names in lists of instruments and by their market identifier codes (ISO 10383).
 * One without a name is of the market that the protocol is made for.
 */
const EXCHANGES: Readonly<Record<CityId, readonly string[]>> = {
  amsterdam: ["AMS", "AEX", "EURONEXT AMSTERDAM", "XAMS"],
  chicago: ["CHX", "NYSE CHICAGO", "CBOE", "CME", "CBOT", "XCHI", "XCBO", "XCME", "XCBT"],
  frankfurt: ["XETRA", "FWB", "FSE", "FRA", "EUREX", "XETR", "XFRA", "XEUR"],
  "hong-kong": ["HKEX", "HKG", "SEHK", "XHKG"],
  johannesburg: ["JSE", "JNB", "XJSE"],
  london: ["LSE", "LON", "AIM", "XLON"],
  madrid: ["BME", "MAD", "BOLSA DE MADRID", "XMAD", "XMCE"],
  mumbai: ["BSE", "NSE", "BOM", "XBOM", "XNSE"],
  "new-york": ["", "NASDAQ", "NYSE", "ARCA", "NYSEARCA", "AMEX", "BATS", "IEX", "OTC", "XNYS", "XNAS", "XASE", "ARCX", "IEXG"],
  paris: ["EURONEXT", "EPA", "PAR", "EURONEXT PARIS", "XPAR"],
  "sao-paulo": ["B3", "BOVESPA", "BVMF", "SAO"],
  seoul: ["KRX", "KSE", "KOSPI", "KOSDAQ", "XKRX", "XKOS"],
  shanghai: ["SSE", "SHSE", "SHA", "XSHG"],
  singapore: ["SGX", "SES", "XSES"],
  sydney: ["ASX", "XASX"],
  tokyo: ["TSE", "JPX", "TYO", "XTKS", "XJPX"],
  toronto: ["TSX", "TSXV", "TOR", "NEO", "XTSE", "XTSX"],
  zurich: ["SIX", "SWX", "VTX", "XSWX", "XVTX"],
};

const CITY_IDS = Object.keys(TIME_ZONES) as readonly CityId[];

const BY_EXCHANGE: ReadonlyMap<string, City> = new Map(
  CITY_IDS.flatMap((id) => EXCHANGES[id].map((name) => [name, { id, timeZone: TIME_ZONES[id] }] as const)),
);

/** The city of the exchange of this name; undefined if it is not known. */
export const cityOf = (exchange: string): City | undefined => BY_EXCHANGE.get(exchange.toUpperCase());
