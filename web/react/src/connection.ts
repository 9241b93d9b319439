import type { Client, ClientState, ConnectError } from "@tapecast/client";
import { useMemo, useSyncExternalStore } from "react";

/** The state of a client's connection. */
export interface Connection {
  readonly state: ClientState;
  /** Why no connection has opened yet, if that is known. Only from clients of `connect`. */
  readonly error: ConnectError | undefined;
}

/** The state of the client's connection. Renders when it changes. */
export function useConnection(client: Client): Connection {
  const { subscribe, snapshot } = useMemo(() => connectionOf(client), [client]);
  return useSyncExternalStore(subscribe, snapshot, snapshot);
}

function connectionOf(client: Client) {
  let current: Connection = { state: client.state, error: undefined };
  return {
    snapshot: (): Connection => {
      // It may have changed before the component subscribed.
      if (current.state !== client.state) current = { ...current, state: client.state };
      return current;
    },
    subscribe: (changed: () => void): (() => void) => {
      const ends = [
        client.on("state", (state) => {
          current = { state, error: state.phase === "live" ? undefined : current.error };
          changed();
        }),
        client.on("connectError", (error) => {
          current = { ...current, error };
          changed();
        }),
      ];
      return () => {
        for (const end of ends) end();
      };
    },
  };
}
