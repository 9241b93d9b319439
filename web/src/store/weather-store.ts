import type { FullClient } from "@tapecast/client";
import { readWeather, weatherTopic, type City, type Weather } from "../topics";

/** The weather of one city. */
export class WeatherStore {
  private readonly client: FullClient;
  private city: City | undefined;
  private latest: Weather | undefined;

  constructor(client: FullClient) {
    this.client = client;
    client.topics.on("message", (message) => {
      if (this.city === undefined || message.topic !== weatherTopic(this.city.id)) return;
      if (message.takesBack === undefined) this.latest = readWeather(message);
      else this.latest = undefined;
    });
  }

  /** The latest that was published, however old; undefined if nothing is known. */
  get weather(): Weather | undefined {
    return this.latest;
  }

  show(city: City | undefined): void {
    if (city?.id === this.city?.id) return;
    if (this.city !== undefined) this.client.topics.unsubscribe([weatherTopic(this.city.id)]);
    this.city = city;
    this.latest = undefined;
    if (city !== undefined) this.client.topics.subscribe([weatherTopic(city.id)]);
  }
}
