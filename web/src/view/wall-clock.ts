import { formatClock, formatZone } from "../format";
import type { Millis } from "@tapecast/client";
import { byId, make, setText } from "./dom";

/** The clock of a wall display: the time where it hangs, and the name of its zone. */
export class WallClock {
  private readonly time = make("span", "wall-time");
  private readonly zone = make("span", "wall-zone");
  private readonly node = make("p", "wall-clock", this.time, " ", this.zone);
  private readonly timeZone = new Intl.DateTimeFormat().resolvedOptions().timeZone;

  draw(now: Millis, language: string): void {
    if (!this.node.isConnected) byId("meters", HTMLElement).after(this.node);
    setText(this.time, formatClock(now, this.timeZone));
    setText(this.zone, formatZone(now, this.timeZone, language));
  }
}
