import type { Millis } from "@tapecast/client";

/** `WebSocket.readyState` by name. */
export type SocketState = "CONNECTING" | "OPEN" | "CLOSING" | "CLOSED";

/** A change of a socket's state. */
export interface StateChange {
  readonly state: SocketState;
  readonly at: Millis;
  /** Why it is closed; `name` is that of the server's table of closes, if it is of it. */
  readonly close?: { readonly code: number; readonly reason: string; readonly name?: string | undefined };
}

const CAPACITY = 50;

/** The states of one connection, oldest first, from when the log began to watch it. */
export class Timeline {
  private changes: StateChange[] = [];

  get entries(): readonly StateChange[] {
    return this.changes;
  }

  get current(): StateChange | undefined {
    return this.changes.at(-1);
  }

  /** Records a state, unless it is the current one. */
  enter(change: StateChange): void {
    if (this.current?.state === change.state) return;
    this.changes = [...this.changes, change].slice(-CAPACITY);
  }
}
