import { Alerts } from "./alerts";
import { Client } from "./client";
import { Topics } from "./topics";

/** A client with topics and alerts, for pages that use both. */
export class FullClient extends Client {
  /** Messages that clients and programs publish, beside the market. */
  readonly topics = new Topics(this);
  /** Price alerts, which the server judges on each trade. */
  readonly alerts = new Alerts(this);
}
