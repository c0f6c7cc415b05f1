/**
 * Each board whose profile is found by its strings, as an emulated machine: firmware tables with the strings of a
 * model, and behind its KCS port a real `ipmi_sim` that gives itself out for that maker's board. The kernel of the
 * image reads both, and the packaged program in the machine finds the profile, the board and the system's UUID.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildImage, makeNodeDisk } from "../../images/build.ts";
import { freeTcpPort } from "../../lab/net/free-port.ts";
import { type Guest, startGuest } from "../images/guest.ts";
import { BOARDS, type BoardStrings } from "../support/board-strings.ts";
import { startIpmiSim } from "../support/ipmi-sim.ts";

/** A boot takes 9 s on a quiet machine; under full load ten times as long has been seen. */
const BOOT_MAX_MS = 180_000;
/** Machines side by side: as many as CI has cores. */
const SIDE_BY_SIDE = 2;

const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-boards-"));
const disk = path.join(folder, "board.img");

beforeAll(async () => {
  const lab = { lab: { content: "" } };
  await makeNodeDisk(await buildImage(), { file: disk, hostname: "board", dataFiles: lab });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const uuidOf = (index: number) => `67656d65-6c00-4000-8000-0000000001${String(index).padStart(2, "0")}`;

/** Commas separate QEMU's options, and stand doubled inside one. */
const quoted = (text: string) => text.replaceAll(",", ",,");

/** What the packaged program says of the machine, and what `gemel node` would take for its own UUID. */
async function detect({ profile, vendor, product, manufacturerId }: BoardStrings, index: number): Promise<string> {
  const directory = path.join(folder, profile.replace("/", "-"));
  mkdirSync(directory);
  const port = await freeTcpPort();
  const control = `serial 15 127.0.0.1 ${port} codec VM`;
  const board = await startIpmiSim({ machine: "file", control, manufacturerId, productId: 0x0100 });
  const guest: Guest = startGuest(
    directory,
    `${disk},snapshot=on`,
    [],
    [
      ...["-smbios", `type=1,manufacturer=${quoted(vendor)},product=${quoted(product)},uuid=${uuidOf(index)}`],
      ...["-chardev", `socket,id=bmc,host=127.0.0.1,port=${port},reconnect=1`],
      ...["-device", "ipmi-bmc-extern,id=bmc0,chardev=bmc", "-device", "isa-ipmi-kcs,bmc=bmc0,irq=5"],
    ],
  );
  try {
    await guest.expectConsole(/board ready for the service/, BOOT_MAX_MS);
    const { output } = await guest.run(
      "for i in $(seq 200); do [ -e /dev/ipmi0 ] && break; sleep 0.1; done; gemel hw detect",
    );
    return output;
  } finally {
    await guest.kill();
    await board.stop();
  }
}

describe("a machine with the strings and the board of", () => {
  const answers = new Map<string, Promise<string>>();

  beforeAll(() => {
    // Queues, not one boot after another: each machine waits much for its emulated disk.
    const queues = Array.from({ length: SIDE_BY_SIDE }, () => Promise.resolve<unknown>(undefined));
    BOARDS.forEach((board, index) => {
      const queue = index % SIDE_BY_SIDE;
      const answer = (queues[queue] ?? Promise.resolve()).then(() => detect(board, index));
      queues[queue] = answer.catch(() => {});
      answers.set(board.profile, answer);
      answer.catch(() => {}); // told by its own test
    });
  });

  afterAll(() => Promise.allSettled(answers.values()));

  test.each(BOARDS.map((board, index) => ({ ...board, uuid: uuidOf(index) })))(
    "$profile",
    async ({ profile, vendor, product, manufacturerId, uuid }) => {
      const said = await answers.get(profile);
      expect(said).toContain(`machine    ${vendor} ${product}, UUID ${uuid}\n`);
      expect(said).toContain("board      there is a BMC at /dev/ipmi0\n");
      expect(said).toMatch(new RegExp(`^BMC +manufacturer ${manufacturerId}, `, "m"));
      expect(said).toMatch(/^watchdogs .*i6300ESB/m);
      expect(said).toMatch(new RegExp(`^${profile}: `, "m"));
    },
  );
});
