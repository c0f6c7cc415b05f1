/** A takeover waits, loudly, for as long as the fencing cannot be confirmed; and of two living nodes one survives. */
import { expect, test } from "vitest";
import type { Lab } from "../../../lab/lab.ts";
import { peerOf } from "../../../lab/names.ts";
import { writeSome } from "../../../lab/tour/demo.ts";
import { changeSides, endSplit, splitOnce } from "../../../lab/tour/split.ts";
import { runVerb } from "../../../lab/verbs.ts";
import { nothingIsLost } from "./takeovers.ts";

const LOUD_MAX_MS = 180_000;

export function testFencingTroubles(lab: () => Lab): void {
  test("a wrong password, then a hung board: the takeover waits, says why, and goes on once both work", async () => {
    const { pair, watcher } = lab();
    await writeSome(lab(), 10);
    const dead = lab().active();
    const alive = peerOf(dead);
    const say = (line: string) => lab().say(line);
    await runVerb(lab(), { lab: "test", command: "bmc-password", node: dead }, say);
    await pair.machines[dead].powerCut();
    const problems = () => watcher.status(alive)?.problems ?? [];
    const told = (words: string) => problems().some(({ what }) => what.includes(words));
    await lab().until("the wrong password is told", () => told("does not know this password"), LOUD_MAX_MS);
    expect(problems()[0]).toMatchObject({ severity: "error" });
    expect(problems()[0]?.what).toContain(`${dead} is lost and not known to be off, so nothing of it is taken over`);
    expect(problems()[0]?.doNow).toContain(`gemel fence confirm ${dead}`);

    pair.machines[dead].bmc.freeze();
    await runVerb(lab(), { lab: "test", command: "bmc-password", node: dead }, say);
    await lab().until("the silent board is told", () => told("opened no session"), LOUD_MAX_MS);
    expect(watcher.active()).toBeUndefined();
    expect(watcher.latest(alive)?.seen).toMatchObject({ hasVirtualAddress: false, isMounted: false });
    expect(await pair.machines[alive].must("gemel status || true")).toContain(
      `WAITING for the proof that ${dead} is off`,
    );

    pair.machines[dead].bmc.thaw();
    await lab().until("the takeover goes on", () => watcher.active() === alive);
    await lab().until("the service answers", async () => (await lab().client.read()) !== undefined);
    await nothingIsLost(lab());
    await pair.machines[dead].powerOn();
    await lab().untilWhole();
  });

  test("every link between living nodes is cut: the active one survives, and a later standby moves all", async () => {
    await writeSome(lab(), 10);
    const split = await splitOnce(lab());
    expect(split.fencing?.outcome).toBe("confirmed");
    await nothingIsLost(lab());
    await endSplit(lab(), split);
    expect(lab().active()).toBe(split.survivor);
    // The node that came back must really have been given what was written without it; standby fences nobody.
    await changeSides(lab());
    expect(lab().active()).toBe(split.fenced);
    expect(lab().pair.machines[split.survivor].isOn()).toBe(true);
    await nothingIsLost(lab());
  });
}
