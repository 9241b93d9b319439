import { TimeFormat, TimeZone } from "../format";
import type { Millis } from "@tapecast/client";
import type { Strings } from "../strings";
import type { City, Weather } from "../topics";
import { byId, make, setData, setText } from "./dom";

/** What the clock shows. */
export interface MarketPlace {
  readonly city: City | undefined;
  readonly weather: Weather | undefined;
  /** Whether the weather is to be taken as that of now. */
  readonly weatherIs: "current" | "outdated";
}

/** The time at the exchange of the selected symbol and, if it is known, the weather there. */
export class MarketClock {
  private readonly time = make("span", "market-time");
  private readonly seconds = make("span", "market-seconds");
  private readonly city = make("span", "market-city");
  private readonly weather = make("span", "weather");
  private times: TimeFormat | undefined;
  private readonly node = make("p", "market-clock", this.city, " ", this.time, this.seconds, this.weather);

  constructor() {
    byId("side-buttons", HTMLElement).before(this.node);
  }

  draw({ city, weather, weatherIs }: MarketPlace, now: Millis, strings: Strings): void {
    this.node.hidden = city === undefined;
    if (city === undefined) return;
    if (this.times?.zone.name !== city.timeZone) this.times = new TimeFormat(new TimeZone(city.timeZone), strings.tag);
    const { times } = this;
    const time = times.second(now);
    setText(this.city, strings.cities[city.id]);
    setText(this.time, time.slice(0, -3));
    setText(this.seconds, time.slice(-3));
    setText(this.weather, weather === undefined ? "" : weatherText(weather, weatherIs, times, strings));
    setData(this.weather, "stale", String(weatherIs === "outdated"));
    const details = weather === undefined ? "" : detailsOf(weather, times, strings);
    if (this.weather.title !== details) this.weather.title = details;
  }
}

/** `21 °C rain`, with the time of it if it is outdated. */
function weatherText({ temperature, condition, time }: Weather, weatherIs: MarketPlace["weatherIs"], times: TimeFormat, { weather }: Strings): string {
  const parts = [
    ...(temperature === undefined ? [] : [`${Math.round(temperature)} °C`.replace("-", "−")]),
    ...(condition === undefined ? [] : [weather.conditions[condition]]),
    ...(weatherIs === "outdated" ? [weather.asOf(times.minute(time))] : []),
  ];
  return parts.join(" ");
}

function detailsOf({ wind, humidity, time }: Weather, times: TimeFormat, { weather }: Strings): string {
  const parts = [
    ...(wind === undefined ? [] : [`${weather.wind} ${wind} m/s`]),
    ...(humidity === undefined ? [] : [`${weather.humidity} ${Math.round(humidity * 100)} %`]),
    weather.asOf(times.minute(time)),
  ];
  return parts.join(" · ");
}
