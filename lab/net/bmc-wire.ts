/**
 * The wire in front of a BMC: a UDP port of the loopback that carries datagrams to the BMC's own port and back.
 * The nodes know only this port, so that cutting it leaves a BMC that works and cannot be reached.
 */
import dgram from "node:dgram";

/** A BMC talks with few sessions at a time; the oldest is forgotten. */
const CLIENTS_MAX = 32;

export interface BmcWire {
  readonly port: number;
  cut(): void;
  join(): void;
  isCut(): boolean;
  close(): void;
}

export async function openBmcWire(bmcPort: number): Promise<BmcWire> {
  let isCut = false;
  const front = dgram.createSocket("udp4");
  const backs = new Map<string, dgram.Socket>();

  function backFor(port: number, address: string): dgram.Socket {
    const key = `${address}:${port}`;
    const known = backs.get(key);
    if (known !== undefined) return known;
    const back = dgram.createSocket("udp4");
    back.on("error", () => {});
    back.on("message", (message) => {
      if (!isCut) front.send(message, port, address);
    });
    backs.set(key, back);
    const oldest = backs.size > CLIENTS_MAX ? [...backs][0] : undefined;
    if (oldest !== undefined) {
      oldest[1].close();
      backs.delete(oldest[0]);
    }
    return back;
  }

  front.on("error", () => {});
  front.on("message", (message, { port, address }) => {
    if (!isCut) backFor(port, address).send(message, bmcPort, "127.0.0.1");
  });
  await new Promise<void>((resolve) => front.bind(0, "127.0.0.1", resolve));
  return {
    port: front.address().port,
    cut: () => {
      isCut = true;
    },
    join: () => {
      isCut = false;
    },
    isCut: () => isCut,
    close() {
      front.close();
      for (const back of backs.values()) back.close();
    },
  };
}
