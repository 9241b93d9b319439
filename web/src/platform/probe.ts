/** What a connection for trying things out reports. Nothing is reported after `closed`. */
export interface ProbeEvents {
  readonly opened: () => void;
  readonly received: (data: string | Uint8Array) => void;
  readonly closed: (code: number, reason: string) => void;
}

/** A WebSocket that neither reconnects nor reads what it receives. */
export class Probe {
  private readonly socket: WebSocket;

  constructor(url: string, events: ProbeEvents) {
    this.socket = new WebSocket(url);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = events.opened;
    this.socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      events.received(typeof data === "string" ? data : new Uint8Array(data));
    };
    this.socket.onclose = ({ code, reason }) => {
      this.drop();
      events.closed(code, reason);
    };
  }

  get protocol(): string {
    return this.socket.protocol;
  }

  get extensions(): string {
    return this.socket.extensions;
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    this.socket.send(data);
  }

  /** Starts the closing handshake; `closed` follows. */
  close(): void {
    this.socket.close(1000);
  }

  /** Closes and reports nothing more. */
  drop(): void {
    this.socket.onopen = null;
    this.socket.onmessage = null;
    this.socket.onclose = null;
    this.socket.close(1000);
  }
}
