import type { Message, Millis } from "@tapecast/client";
import type { CityId } from "./city";

export const CONDITIONS = ["clear", "clouds", "rain", "snow", "fog"] as const;

export type Condition = (typeof CONDITIONS)[number];

/** What is known of a city's weather. */
export interface Weather {
  /** When it was published. */
  readonly time: Millis;
  /** Degrees Celsius. */
  readonly temperature: number | undefined;
  /** Metres per second. */
  readonly wind: number | undefined;
  /** 0 to 1. */
  readonly humidity: number | undefined;
  readonly condition: Condition | undefined;
}

export const weatherTopic = (city: CityId): string => `weather:${city}`;

/** Reads the weather from a message, whose data may be any JSON; undefined if nothing of it is known. */
export function readWeather({ data, time }: Message): Weather | undefined {
  const fields = typeof data === "object" && data !== null ? (data as Readonly<Record<string, unknown>>) : {};
  const number = (key: string, min: number, max: number) => {
    const value = fields[key];
    return typeof value === "number" && value >= min && value <= max ? value : undefined;
  };
  const weather = {
    temperature: number("temp_c", -100, 70),
    wind: number("wind_ms", 0, 150),
    humidity: number("humidity", 0, 1),
    condition: CONDITIONS.find((known) => known === fields["condition"]),
  };
  return Object.values(weather).every((value) => value === undefined) ? undefined : { time, ...weather };
}
