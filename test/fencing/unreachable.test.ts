/**
 * The same three troubles for every driver that reaches for something over the network: a name that nobody knows, a
 * port where nobody listens, and somebody who takes the call and says nothing. Each is told in words of its own, with
 * what to do, within a stated time, and is never more than "not done".
 */
import { createSocket } from "node:dgram";
import { createServer, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DRIVERS } from "../../src/fencing/drivers/index.ts";
import { FINGERPRINT } from "../support/board-certificate.ts";
import { LOGIN, useRunner } from "./real-line.ts";

const runner = useRunner();
const ANSWER_MS = 1_000;
/** Two steps of a login may each wait for an answer; a busy machine adds to it, and the runner's own end is further. */
const TOLD_WITHIN_MS = 2 * ANSWER_MS + 10_000;
const RUNNER_MS = 30_000;

const hostkey = `SHA256:${"A".repeat(43)}`;
const certificate = FINGERPRINT;
type Values = Readonly<Record<string, string>>;

/** What each needs beside host, user and secret. */
const NETWORKED: Readonly<Record<string, readonly Values[]>> = {
  "ipmi-lan": [{}, { version: "1.5" }],
  redfish: [{ certificate }],
  "ilo-ribcl": [{ certificate }],
  "rsa-telnet": [{}],
  "drac-mc-telnet": [{ module: "Server-1" }],
  "drac4-telnet": [{}],
  "racadm-telnet": [{}],
  "amm-telnet": [{ module: "3" }],
  "ilo-ssh": [{ hostkey }],
  "racadm-ssh": [{ hostkey }],
  "snmp-pdu": [
    { version: "2c", outlets: "1" },
    { version: "3", outlets: "1" },
  ],
  libvirt: [{ machine: "bravo", hostkey }],
  nut: [{ ups: "rack" }],
};

const silentPort = { tcp: 0, udp: 0 };
const open: Socket[] = [];
const server = createServer((socket) => void open.push(socket));
const datagrams = createSocket("udp4");
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  silentPort.tcp = typeof address === "object" && address !== null ? address.port : 0;
  await new Promise<void>((resolve) => datagrams.bind(0, "127.0.0.1", resolve));
  silentPort.udp = datagrams.address().port;
});
afterAll(() => {
  for (const socket of open) socket.destroy();
  server.close();
  datagrams.close();
});

test("no driver that takes a host is left out", () => {
  const networked = Object.values(DRIVERS).filter(({ parameters }) => parameters.some(({ name }) => name === "host"));
  expect(networked.map(({ name }) => name).toSorted()).toEqual(Object.keys(NETWORKED).toSorted());
});

/** `what`: by the driver's own protocol. A remedy begins with what to do. */
const REMEDY = /(?:correct|look|enable|close|reset|write|add|start) /i;
const TROUBLES: readonly (readonly [string, (protocol: "tcp" | "udp") => Values, RegExp])[] = [
  [
    "a name that nobody knows",
    () => ({ host: "no-such-board.invalid" }),
    /the name no-such-board.invalid cannot be resolved/,
  ],
  [
    "a port where nobody listens",
    () => ({ port: "9" }),
    /nothing listens on (?:TCP|UDP) port 9 of 127.0.0.1|no answer within/,
  ],
  [
    "somebody who says nothing",
    (protocol) => ({ port: String(silentPort[protocol]) }),
    /within (?:\d+ ms|its time)|hangs up/,
  ],
];

const cases = Object.entries(NETWORKED).flatMap(([driver, ways]) =>
  ways.flatMap((more) => TROUBLES.map((trouble) => [driver, ...trouble, more] as const)),
);

test.concurrent.each(cases)("%s: %s", async (driver, _, trouble, words, more) => {
  const protocol = driver === "ipmi-lan" || driver === "snmp-pdu" ? "udp" : "tcp";
  const parameters = { ...LOGIN, ...more, answer_time: `${ANSWER_MS}ms`, confirm_time: "2s", ...trouble(protocol) };
  const startedAtMs = performance.now();
  const { outcome } = await runner.run({ id: `${driver} ${_}`, driver, parameters }, "off", RUNNER_MS);
  expect(outcome).toMatchObject({ kind: "not-done", reason: expect.stringMatching(words) });
  expect(outcome.kind === "confirmed" ? "" : outcome.reason).toMatch(REMEDY);
  expect(performance.now() - startedAtMs).toBeLessThan(TOLD_WITHIN_MS);
});
