import { connect, type Ticker } from "@tapecast/client";
import { useConnection, useTickers, useTrades } from "@tapecast/react";

/** `VITE_TAPECAST_URL=https://example.org npm run build` connects elsewhere. */
const SERVER: string = import.meta.env["VITE_TAPECAST_URL"] ?? "http://127.0.0.1:8080";
const SYMBOLS = ["AAPL", "MSFT", "NVDA", "AMZN", "TSLA"];

/** One for the page. Ticks are conflated: ten frames a second are as many as one can read. */
const client = connect(SERVER, { conflateMs: 100 });

export function Prices() {
  const { state, error } = useConnection(client);
  const tickers = useTickers(client, SYMBOLS);
  const trades = useTrades(client, ["AAPL"], { limit: 8 });
  return (
    <main data-phase={state.phase}>
      <h1>Five live prices</h1>
      <p role="status">{error?.message ?? state.phase}</p>
      <table>
        <tbody>
          {SYMBOLS.map((symbol) => (
            <Row key={symbol} symbol={symbol} ticker={tickers.get(symbol)} />
          ))}
        </tbody>
      </table>
      <h2>Trades of AAPL</h2>
      <ol>
        {trades.map(({ id, price, size, time }) => (
          <li key={id}>
            {new Date(time).toLocaleTimeString()} · {size} at {price.toFixed(2)}
          </li>
        ))}
      </ol>
    </main>
  );
}

function Row({ symbol, ticker }: { readonly symbol: string; readonly ticker: Ticker | undefined }) {
  const { last, previousClose } = ticker ?? {};
  const change = last === undefined || previousClose === undefined ? undefined : (last / previousClose - 1) * 100;
  return (
    <tr>
      <th scope="row">{symbol}</th>
      <td>{last?.toFixed(2) ?? "–"}</td>
      <td data-change={change === undefined || change === 0 ? "none" : change > 0 ? "up" : "down"}>{change === undefined ? "" : `${change.toFixed(2)} %`}</td>
    </tr>
  );
}
