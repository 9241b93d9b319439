import { TokenRefresh, type Client, type FetchToken } from "../stream";
import { keyOf } from "../wire";
import { connect, type ConnectOptions } from "./connect";

/**
 * Connects to a server with JSON Web Tokens of the page's own log-in, as `connect` does with a key.
 *
 * `fetchToken` is called now, and each time that the token ends soon or has ended. Rejects if the first token cannot be had.
 */
export async function connectWithToken(address: string, fetchToken: FetchToken, options: Omit<ConnectOptions, "key"> = {}): Promise<Client> {
  const key = keyOf(await fetchToken());
  const client = connect(address, { ...options, key });
  new TokenRefresh(client, key, fetchToken);
  return client;
}
