import type { FullClient } from "@tapecast/client";
import { isOutdated, type Freshness } from "../market";
import { runtime } from "../platform";
import { WeatherStore } from "../store";
import type { Strings } from "../strings";
import { cityOf, type City } from "../topics";
import * as view from "../view";

/** The slots of 100 ms between two drawings: the clock shows seconds. */
const SLOTS = 5;

/** What the clock needs from the page. */
export interface MarketPlaceHost {
  readonly client: FullClient;
  readonly scheduler: view.FrameScheduler;
  /** The freshness of what arrives. */
  readonly freshness: () => Freshness;
  readonly strings: () => Strings;
}

/** The clock and the weather of the exchange of the selected symbol. */
export class MarketPlace {
  private readonly store: WeatherStore;
  private readonly clock = new view.MarketClock();
  private readonly drawing: view.Invalidation;
  private city: City | undefined;

  constructor({ client, scheduler, freshness, strings }: MarketPlaceHost) {
    this.store = new WeatherStore(client);
    this.drawing = scheduler.add(SLOTS, () => {
      const { city, store: { weather } } = this;
      const now = runtime.now();
      const isOld = weather !== undefined && isOutdated(weather.time, now, freshness());
      this.clock.draw({ city, weather, weatherIs: isOld ? "outdated" : "current" }, now, strings());
    });
  }

  /** Shows the city of this exchange. */
  show(exchange: string): void {
    this.city = cityOf(exchange);
    this.store.show(this.city);
    this.drawing.invalidateNow();
  }

  readonly tick = (): void => {
    this.drawing.invalidate();
  };
}
