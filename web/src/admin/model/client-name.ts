/** The browsers by what names them in a `User-Agent` header, those first that also name others. */
const BROWSERS = [
  ["Edge", /\bEdg\/(\d+)/],
  ["Firefox", /\bFirefox\/(\d+)/],
  ["Chrome", /\bChrome\/(\d+)/],
  ["Safari", /\bVersion\/(\d+).*\bSafari\//],
] as const;

/** What a client is, in short: a browser with its version, or the first product that the header names. */
export function clientName(userAgent: string): string {
  for (const [name, pattern] of BROWSERS) {
    const version = pattern.exec(userAgent)?.[1];
    if (version !== undefined) return `${name} ${version}`;
  }
  return userAgent.split(" ")[0]?.replace("/", " ") ?? userAgent;
}
