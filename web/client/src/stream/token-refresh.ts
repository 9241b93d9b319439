import * as wire from "../wire";
import type { Control, TokenKey } from "../wire";
import type { Client } from "./client";
import type { RequestError } from "./requests";
import type { CommandPort, SessionPart } from "./session-part";

/** Gets a token from the page's own log-in. */
export type FetchToken = () => Promise<string>;

/** The pause after a token could not be fetched. */
const RETRY_MS = 5_000;

/** The server's errors for a command before credentials are accepted, and for those that are wrong or have expired. */
const NOT_AUTHENTICATED = 401;
const AUTH_FAILED = 402;

/**
 * Keeps the token of a client fresh: sends a newer one when the server says that it ends, and connects with a newer one
 * if it has ended, as after a night's sleep of the machine.
 */
export class TokenRefresh implements SessionPart {
  /** A session without subscriptions is to be told too. */
  readonly isEmpty = false;
  readonly read = wire.readTokenControl;
  /** No command of it waits for an acknowledgement, or is answered by id, and it has no numbers. */
  readonly begin = () => undefined;
  readonly restart = () => undefined;
  readonly disconnected = () => undefined;
  private readonly client: Client;
  private readonly port: CommandPort;
  private readonly key: TokenKey;
  private readonly fetchToken: FetchToken;
  private isFetching = false;
  /** True after a token was refused, until one is accepted: a second one is not tried. */
  private wasRefused = false;

  /** For a client that connects with this key, whose token is replaced. To be made once for each client. */
  constructor(client: Client, key: TokenKey, fetchToken: FetchToken) {
    this.client = client;
    this.port = client.attach(this);
    this.key = key;
    this.fetchToken = fetchToken;
    client.on("state", (state) => {
      if (state.phase === "ended" && state.close.name === "token_expired") {
        this.renew(() => {
          client.connect();
        });
      }
    });
  }

  handle(control: Control): void {
    if (control.control === "authenticated") this.wasRefused = false;
    if (control.control === "expiry") {
      this.renew(() => {
        if (this.port.isLive()) this.port.send(wire.auth(this.key));
      });
    }
  }

  /** A token that was refused may have expired before the connection was made; then the commands behind it are too. */
  failed(id: number | undefined, error: RequestError): boolean {
    if (error.code === NOT_AUTHENTICATED && this.isFetching) return true;
    if (id !== undefined || error.code !== AUTH_FAILED || this.wasRefused) return false;
    this.wasRefused = true;
    this.renew(() => {
      this.client.authenticate(this.key);
    });
    return true;
  }

  /** Fetches a token, trying until there is one or the client was closed. */
  private renew(then: () => void): void {
    if (this.isFetching) return;
    this.isFetching = true;
    const attempt = () => {
      this.fetchToken().then(
        (token) => {
          this.isFetching = false;
          this.key.secret = token;
          if (!this.isClosed) then();
        },
        () => {
          if (this.isClosed) this.isFetching = false;
          else this.port.runtime.after(RETRY_MS, attempt);
        },
      );
    };
    attempt();
  }

  /** The page has closed the client. */
  private get isClosed(): boolean {
    const { state } = this.client;
    return state.phase === "closing" || (state.phase === "ended" && state.close.name !== "token_expired");
  }
}
