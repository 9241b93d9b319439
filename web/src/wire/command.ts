import { CHANNELS, type Channel, type StockSymbol } from "../model";

/** Symbols per channel, as a command carries them. */
export type Wants = Readonly<Partial<Record<Channel, readonly StockSymbol[]>>>;

export const subscribe = (wants: Wants): string => command("subscribe", wants);

export const unsubscribe = (wants: Wants): string => command("unsubscribe", wants);

export function isEmpty(wants: Wants): boolean {
  return CHANNELS.every((channel) => (wants[channel] ?? []).length === 0);
}

/** Channels in the protocol's order; those without symbols are left out. */
function command(action: "subscribe" | "unsubscribe", wants: Wants): string {
  const named = CHANNELS.filter((channel) => (wants[channel] ?? []).length > 0);
  return JSON.stringify({ action, ...Object.fromEntries(named.map((channel) => [channel, wants[channel]])) });
}
