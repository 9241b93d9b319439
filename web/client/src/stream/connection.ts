import type { Runtime, SocketLike } from "./runtime";

/** Callbacks of a connection. None is called after `closed`. */
export interface ConnectionEvents {
  readonly opened: () => void;
  readonly received: (data: unknown) => void;
  readonly closed: (code: number, reason: string) => void;
}

/** What the opening handshake agreed on; both are empty before it and without an agreement. */
export interface Negotiated {
  readonly protocol: string;
  /** As in `Sec-WebSocket-Extensions`. */
  readonly extensions: string;
}

/** RFC 6455 section 7.1.5: reported when the connection is lost without a Close frame. */
const CONNECTION_LOST = 1006;

/** One WebSocket, from open to close. */
export class Connection {
  private readonly socket: SocketLike;

  constructor(runtime: Runtime, url: string, events: ConnectionEvents) {
    this.socket = new runtime.WebSocket(url);
    this.socket.onopen = () => {
      events.opened();
    };
    this.socket.onmessage = ({ data }: { readonly data: unknown }) => {
      events.received(data);
    };
    // A close event follows each error event. Without a handler the `ws` package throws the error.
    this.socket.onerror = () => undefined;
    this.socket.onclose = ({ code, reason }: { readonly code?: number; readonly reason?: string }) => {
      this.detach();
      events.closed(code ?? CONNECTION_LOST, reason ?? "");
    };
  }

  get negotiated(): Negotiated {
    return { protocol: this.socket.protocol ?? "", extensions: this.socket.extensions ?? "" };
  }

  send(text: string): void {
    this.socket.send(text);
  }

  /** Starts the closing handshake; `closed` follows. */
  close(): void {
    this.socket.close(1000);
  }

  /** Closes without waiting for the server; no callback follows. */
  abort(): void {
    this.detach();
    this.socket.close();
  }

  private detach(): void {
    this.socket.onopen = null;
    this.socket.onmessage = null;
    this.socket.onclose = null;
  }
}
