/**
 * `node flooder.ts ADDRESS PORT COUNT SEED`: sends so many datagrams that no node ever sent, as fast as one process
 * can: noise of any length, noise that begins as a packet does, nothing at all. Prints how many have left.
 */
import process from "node:process";
import { MSG_DONTWAIT, openSocket, SOCK_DGRAM, SOCK_NONBLOCK, sendTo } from "../../src/hw/edge/native.ts";
import { socketAddress } from "../../src/hw/edge/udp-socket.ts";
import { createNoise, noisePacket } from "./noise.ts";

const [address = "127.0.0.1", port = "694", count = "100000", seed = "1"] = process.argv.slice(2);
const random = createNoise(Number(seed));
const fd = openSocket(address.includes(":") ? 10 : 2, SOCK_DGRAM | SOCK_NONBLOCK, 0);
const to = socketAddress(address, Number(port));
/** Drawn once: a flood is not to wait for its dice. */
const packets = Array.from({ length: 4096 }, () => noisePacket(random));
let sent = 0;
while (sent < Number(count))
  for (const packet of packets) if (sendTo(fd, packet, to, MSG_DONTWAIT) !== undefined) sent += 1;
process.stdout.write(`${sent}\n`);
