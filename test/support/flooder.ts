/**
 * `node flooder.ts ADDRESS PORT SECONDS SEED`: sends what no node ever sent, as fast as one process can: noise of any
 * length, noise that begins as a packet does, nothing at all. Prints how many datagrams have left.
 */
import process from "node:process";
import { MSG_DONTWAIT, openSocket, SOCK_DGRAM, SOCK_NONBLOCK, sendTo } from "../../src/hw/edge/native.ts";
import { socketAddress } from "../../src/hw/edge/udp-socket.ts";
import { createNoise, noisePacket } from "./noise.ts";

const [address = "127.0.0.1", port = "694", seconds = "5", seed = "1"] = process.argv.slice(2);
const random = createNoise(Number(seed));
const fd = openSocket(address.includes(":") ? 10 : 2, SOCK_DGRAM | SOCK_NONBLOCK, 0);
const to = socketAddress(address, Number(port));
/** Drawn once: a flood is not to wait for its dice. */
const packets = Array.from({ length: 4096 }, () => noisePacket(random));
const endAtMs = performance.now() + Number(seconds) * 1000;
let sent = 0;
while (performance.now() < endAtMs)
  for (const packet of packets) if (sendTo(fd, packet, to, MSG_DONTWAIT) !== undefined) sent += 1;
process.stdout.write(`${sent}\n`);
