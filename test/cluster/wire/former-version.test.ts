/**
 * Two builds in one cluster, as during an update: this one and the former. Frames that the former build itself has made
 * are heard, what this one adds is passed over by it, and both agree on one view; a stranger's version is refused with
 * a word that says what to do.
 */
import { expect, test } from "vitest";
import { decodeHeartbeat, encodeHeartbeat } from "../../../src/cluster/core/wire/heartbeat.ts";
import { decodePacket, encodePacket, WIRE_VERSION } from "../../../src/cluster/core/wire/packet.ts";
import { createSigner } from "../../../src/cluster/edge/signer.ts";
import * as former from "../../support/former-heartbeat.ts";
import { createMesh } from "../../support/membership-mesh.ts";

const signer = createSigner({ signing: 1, keys: [{ number: 1, method: "sha256", secret: "recorded" }] }, "former");

/** Made by the build of commit 603d87f: header, heartbeat and proof. */
const RECORDED =
  "674d01000100010100000000002a000000000063" +
  "0a000000070003075bcd15000012671102020000000493e081ffff" +
  "c9cfce9d3fe5806b9dcaae20150a4cd3";
const TOLD = {
  ...{ leaving: false, settled: true, holding: false, quorate: true, holdsTie: false },
  ...{ epoch: 7, members: 3, sentAtMs: 123_456_789, beat: 4711, reachable: 2 },
  peers: [{ id: 2, generation: 300_000, opinion: "member", heard: true, echo: 65_535 }],
} as const;
const HEADER = { kind: "heartbeat", from: 1, to: 0, link: 1, generation: 42, sequence: 99 } as const;

test("a frame recorded of the former build is heard as it was meant", () => {
  const read = decodePacket(Buffer.from(RECORDED, "hex"), signer);
  expect(read).toMatchObject({ kind: "packet", packet: HEADER });
  if (read.kind === "packet") expect(decodeHeartbeat(read.packet.payload)).toEqual(TOLD);
});

test("what says nothing new is written byte for byte as the former build wrote it", () => {
  expect(Buffer.from(encodePacket(HEADER, encodeHeartbeat(TOLD), signer)).toString("hex")).toBe(RECORDED);
});

test("the former build passes over what this one adds to a heartbeat", () => {
  const promise = { endsWithinMs: 20_500, votes: 3 };
  expect(former.decodeHeartbeat(encodeHeartbeat({ ...TOLD, promise }))).toEqual(TOLD);
});

test.each([
  [2, [1], {}],
  [3, [3], {}],
  [3, [1, 2], {}],
  [3, [2], { lease: { leaseMs: 6000, endsWithinMs: 9000 } }],
] as const)(
  "%i nodes of which %j are of the former build agree, lose a dead one, and take it in again",
  (count, old, more) => {
    const mesh = createMesh(count, { former: old, ...more });
    const all = Array.from({ length: count }, (_, index) => index + 1);
    mesh.run(4000);
    for (const id of all) expect(mesh.view(id)).toBe(`${all.join()} agreed quorate`);
    mesh.kill(count);
    mesh.run(5000);
    const rest = all.slice(0, -1);
    for (const id of rest) expect(mesh.view(id)).toBe(`${rest.join()} agreed quorate`);
    for (const id of rest) mesh.step(id, { kind: "fencing-confirmed", name: `n${count}`, generation: 1 });
    mesh.start(count, 2);
    mesh.run(12_000);
    for (const id of all) expect(mesh.view(id)).toBe(`${all.join()} agreed quorate`);
  },
);

test.each([WIRE_VERSION - 1, WIRE_VERSION + 1])("version %i with a right key is told from a forgery", (version) => {
  // The version is under the seal: it is sealed as such a build would.
  const sealing = {
    ...signer,
    seal: (header: Uint8Array, payload: Uint8Array) => {
      header[2] = version;
      return signer.seal(header, payload);
    },
  };
  expect(decodePacket(encodePacket(HEADER, encodeHeartbeat(TOLD), sealing), signer)).toEqual({
    kind: "version",
    from: 1,
    version,
  });
});
