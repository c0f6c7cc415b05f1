/** The socket to one board over UDP: made when it is first needed, with what the network says in plain words. */
import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { connectionFault } from "./connection-fault.ts";

export interface WireTarget {
  readonly host: string;
  readonly port: number;
}

/** Packets that wait for the name look-up; more would only be resends of the same. */
const UNSENT_MAX = 4;

export interface Wire {
  send(bytes: Uint8Array): void;
  close(): void;
}

/** A connected socket that is made when it is first needed, and again after its name could not be resolved. */
export function createWire(
  target: WireTarget,
  onDatagram: (bytes: Uint8Array) => void,
  onError: (reason: string) => void,
): Wire {
  let socket: Socket | undefined;
  let connected = false;
  let unsent: Uint8Array[] = [];
  const discard = () => {
    socket?.close();
    socket = undefined;
    connected = false;
    unsent = [];
  };
  const open = () => {
    const fresh = createSocket(isIPv6(target.host) ? "udp6" : "udp4");
    socket = fresh;
    fresh.on("message", onDatagram);
    const fail = (error: Error) => {
      if (!connected && socket === fresh) discard();
      onError(connectionFault(error, { ...target, protocol: "UDP", service: "IPMI over LAN" }));
    };
    fresh.on("error", fail);
    // The declared type of this callback hides that a failed look-up calls it with the error.
    fresh.connect(target.port, target.host, (...[error]: (Error | undefined)[]) => {
      if (socket !== fresh) return;
      if (error !== undefined) {
        fail(error);
        return;
      }
      connected = true;
      for (const bytes of unsent.splice(0)) fresh.send(bytes);
    });
  };
  return {
    send(bytes) {
      if (socket === undefined) open();
      if (connected)
        socket?.send(
          bytes,
          (error) => error && onError(connectionFault(error, { ...target, protocol: "UDP", service: "IPMI over LAN" })),
        );
      else if (unsent.length < UNSENT_MAX) unsent.push(bytes);
    },
    close: discard,
  };
}
