/** The venues of the consolidated tape by their participant codes, by the names that they have in every language. */
export const VENUES: Readonly<Partial<Record<string, string>>> = {
  A: "NYSE American",
  B: "Nasdaq BX",
  C: "NYSE National",
  G: "24X",
  H: "MIAX Pearl",
  I: "Nasdaq ISE",
  J: "Cboe EDGA",
  K: "Cboe EDGX",
  L: "LTSE",
  M: "NYSE Texas",
  N: "NYSE",
  P: "NYSE Arca",
  Q: "Nasdaq",
  S: "CTS",
  T: "Nasdaq",
  U: "MEMX",
  V: "IEX",
  W: "Cboe",
  X: "Nasdaq PSX",
  Y: "Cboe BYX",
  Z: "Cboe BZX",
};

/** The code of trades that were reported to a facility of FINRA: off exchange. */
export const OFF_EXCHANGE = "D";
