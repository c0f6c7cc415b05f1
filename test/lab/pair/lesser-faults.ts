/** What must not end in a takeover, or not in a loss: single links, noise, a broken disk, a wrong configuration. */
import { expect, test } from "vitest";
import type { Lab } from "../../../lab/lab.ts";
import { type LinkName, peerOf } from "../../../lab/names.ts";
import { writeSome } from "../../../lab/tour/demo.ts";
import { mirrorIsDown, nothingIsLost } from "./takeovers.ts";

const TOLD_MAX_MS = 180_000;
/** The whole disk is copied, and looked at again a minute later at most. */
const COPIED_MAX_MS = 300_000;
/** As a mirror is that was made without a first copy, and whose bitmap was cleared without its UUID. */
const LEAVE_BITMAP_UUID = `set -e
drbdadm apply-al records
current=$(drbdadm get-gi records | cut -d: -f1)
drbdmeta --force 0 v08 /dev/disk/by-id/virtio-mirror internal set-gi \
  "$current:AAAABBBBCCCCDDDD:0000000000000004:0000000000000000:1:1:0:1:0:0:0"`;
const WRONG = `primitive one ocf:heartbeat:Dummi op monitor interval=soon
group all one nobody
colocation c inf: all nothing
`;

function linkProblems(lab: Lab, link: LinkName): number {
  const problems = lab.watcher.status(lab.active())?.problems ?? [];
  return problems.filter(({ what }) => what.includes(`link ${link} to`)).length;
}

export function testLesserFaults(lab: () => Lab): void {
  test("one link after another is cut, and the cable made noisy: it is told, nobody is lost, all heals", async () => {
    await writeSome(lab(), 10);
    const { pair } = lab();
    const active = lab().active();
    for (const link of ["service", "private", "serial"] as const) {
      // Of the service network the peer's end, so that the client is served on.
      pair.cut(link, link === "service" ? peerOf(active) : undefined);
      await lab().until(`the loss of ${link} is told`, () => linkProblems(lab(), link) > 0, TOLD_MAX_MS);
      pair.join(link);
      await lab().until(`${link} has healed`, () => linkProblems(lab(), link) === 0, TOLD_MAX_MS);
    }
    pair.setNoise(0.3);
    await lab().until("the noise is told", () => linkProblems(lab(), "serial") > 0, TOLD_MAX_MS);
    pair.setNoise(0);
    await lab().untilWhole();
    expect(lab().active()).toBe(active);
    expect(
      lab()
        .watcher.status(active)
        ?.nodes.map(({ state }) => state),
    ).toEqual(["online", "online"]);
    await nothingIsLost(lab());
  });

  test("the disk of the active node fails: the service moves to the other; a mended disk makes it whole", async () => {
    await writeSome(lab(), 10);
    const { pair, watcher } = lab();
    const broken = lab().active();
    const good = peerOf(broken);
    pair.machines[broken].breakDisk();
    await lab().until(
      `${good} serves`,
      () => watcher.active() === good && watcher.latest(good)?.seen?.isMounted === true,
    );
    expect(watcher.latest(broken)?.seen?.disk).toBe("Diskless");
    const told = () => watcher.status(broken)?.problems.some(({ doNow }) => doNow.includes("drbdadm attach records"));
    await lab().until("status names what helps", () => told() === true, TOLD_MAX_MS);
    await lab().until("the service answers", async () => (await lab().client.read()) !== undefined);
    await nothingIsLost(lab());
    pair.machines[broken].mendDisk();
    await pair.machines[broken].must("drbdadm attach records");
    await lab().untilWhole();
    expect(lab().active()).toBe(good);
    expect(pair.machines[broken].isOn()).toBe(true);
  });

  test("disks that would differ unseen after a rejoin are told, and what is advised makes them the same", async () => {
    const { machines } = lab().pair;
    const active = lab().active();
    const [primary, secondary] = [machines[active], machines[peerOf(active)]];
    await primary.must("crm resource stop mirror");
    for (const machine of [primary, secondary]) await mirrorIsDown(lab(), machine, TOLD_MAX_MS);
    for (const machine of [primary, secondary]) await machine.must(LEAVE_BITMAP_UUID);
    await primary.must("crm resource start mirror");
    await lab().untilWhole();
    const told = () =>
      lab()
        .watcher.status(lab().active())
        ?.problems.find(({ code }) => code === "drbd-bitmap-left");
    await lab().until("the doubt is told", () => told() !== undefined, TOLD_MAX_MS);
    expect(told()).toMatchObject({ severity: "error" });
    const advised = /Secondary \(.*\): (drbdadm .*)$/.exec(told()?.doNow ?? "")?.[1] ?? "no command is advised";
    await machines[peerOf(lab().active())].must(advised);
    await lab().until("the doubt is taken back", () => told() === undefined, COPIED_MAX_MS);
    await lab().untilWhole();
  });

  test("a wrong configuration is refused, each error with line, reason and remedy; the running one stays", async () => {
    const machine = lab().pair.machines[lab().active()];
    const before = await machine.must("crm configure show");
    await machine.must(`cat >/tmp/wrong.crm <<'END'\n${WRONG}END`);
    const answer = await machine.run("crm configure load update /tmp/wrong.crm 2>&1");
    expect(answer?.exitCode).not.toBe(0);
    const errors = answer?.output.split("\n").filter((line) => line.includes(": error: ")) ?? [];
    for (const line of [1, 2, 3])
      expect(
        errors.some((text) => new RegExp(`wrong\\.crm:${line}:\\d+: error: .*; `).test(text)),
        answer?.output,
      ).toBe(true);
    expect(await machine.must("crm configure show")).toBe(before);
  });
}
