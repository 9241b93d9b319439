import type { SocketLike, World } from "./world";

/** What one socket has to say. After `ended` it says nothing more. */
export interface ConnectionEvents {
  readonly opened: () => void;
  readonly received: (data: unknown) => void;
  readonly ended: (code: number) => void;
}

/** RFC 6455, 7.1.5: what a socket reports when no close frame came. */
const LOST = 1006;

/** One socket, from its opening to its one and only end. */
export class Connection {
  private readonly socket: SocketLike;

  constructor(world: World, url: string, events: ConnectionEvents) {
    this.socket = new world.WebSocket(url);
    this.socket.onopen = () => {
      events.opened();
    };
    this.socket.onmessage = ({ data }: { readonly data: unknown }) => {
      events.received(data);
    };
    // An error says nothing that the close after it does not say; unheard, the `ws` package would throw it.
    this.socket.onerror = () => undefined;
    this.socket.onclose = ({ code }: { readonly code?: number }) => {
      this.silence();
      events.ended(code ?? LOST);
    };
  }

  send(text: string): void {
    this.socket.send(text);
  }

  /** Asks the server to close; `ended` follows. */
  close(): void {
    this.socket.close(1000);
  }

  /** Leaves without waiting for the server's answer; nothing more is heard. */
  abandon(): void {
    this.silence();
    this.socket.close();
  }

  private silence(): void {
    this.socket.onopen = null;
    this.socket.onmessage = null;
    this.socket.onclose = null;
  }
}
