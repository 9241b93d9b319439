import { TimeZone } from "../format";
import { EXCHANGE_TIME_ZONE, ExchangeHours } from "../market";

const zone = new TimeZone(EXCHANGE_TIME_ZONE);

/** The hours of the exchange, for all charts. */
export const exchangeHours = new ExchangeHours((ms) => zone.localOf(ms));
