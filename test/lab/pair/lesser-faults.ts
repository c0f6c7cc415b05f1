/** What must not end in a takeover, or not in a loss: single links, noise, a broken disk, a wrong configuration. */
import { expect, test } from "vitest";
import type { Lab } from "../../../lab/lab.ts";
import { type LinkName, peerOf } from "../../../lab/names.ts";
import { writeSome } from "../../../lab/tour/demo.ts";
import { changeSides } from "../../../lab/tour/split.ts";
import { nothingIsLost } from "./takeovers.ts";

const TOLD_MAX_MS = 90_000;
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

  test("an operator sends the active node into standby: the service moves, the mirror ends whole", async () => {
    await writeSome(lab(), 10);
    const from = lab().active();
    await changeSides(lab());
    expect(lab().active()).toBe(peerOf(from));
    expect(lab().pair.machines[from].isOn()).toBe(true);
    await nothingIsLost(lab());
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
