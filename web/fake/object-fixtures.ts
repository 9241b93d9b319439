import objects from "../client/src/wire/objects.json" with { type: "json" };

/** One object of a data channel, as the server encodes it. */
export interface ObjectFixture {
  /** The channel as in a subscription. It may be one that this client does not read. */
  readonly channel: string;
  /** The object on the wire. */
  readonly json: string;
}

/** One object of each data channel, from the file that the server's tests write from their declaration of the objects. */
export function objectFixtures(): readonly ObjectFixture[] {
  return objects.map(({ channel, json }) => ({ channel, json: JSON.stringify(json) }));
}
