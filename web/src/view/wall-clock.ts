import type { Millis } from "@tapecast/client";
import type { Strings } from "../strings";
import { byId, make, setText } from "./dom";

/** The clock of a wall display: the time in the zone of all times of the page, and its name. */
export class WallClock {
  private readonly time = make("span", "wall-time");
  private readonly zone = make("span", "wall-zone");
  private readonly node = make("p", "wall-clock", this.time, " ", this.zone);

  draw(now: Millis, { times }: Strings): void {
    if (!this.node.isConnected) byId("meters", HTMLElement).after(this.node);
    setText(this.time, times.second(now));
    setText(this.zone, times.zoneName(now));
  }
}
