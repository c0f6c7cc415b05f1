/** The fencer core: scenarios by hand, then thousands of random lives that may never prove what was not read back. */
import { describe, expect, test } from "vitest";
import type { FencingOutcome } from "../../src/fencing/core/driver.ts";
import { certificateFor } from "../../src/fencing/core/fencer-state.ts";
import { fc } from "../support/repeatable.ts";
import { type Answers, configuration, device, NOT_DONE, OFF, ON, obedient, start, UNKNOWN } from "./fencer-world.ts";

describe("one device", () => {
  test("reboot: answered as soon as off is proven, then switched on again", () => {
    const fencer = start(configuration([device("bmc")]), obedient);
    fencer.request("r1");
    fencer.run(10_000);
    expect(fencer.story).toEqual(["0 run bmc off", "1000 fenced alpha", "1000 answer r1 confirmed", "1000 run bmc on"]);
    expect(certificateFor(fencer.state(), "alpha", 0)?.devices[0]?.device).toBe("bmc");
    expect(fencer.state().operations).toEqual([]);
  });

  test("who shoots what it has never met says so in the certificate: by that a death match is told", () => {
    const fencer = start(configuration([device("bmc")]), obedient);
    const origin = { kind: "scheduler", by: "bravo: the cluster", hasNotMet: true } as const;
    const wish = { requestId: "r1", target: "alpha", action: "reboot", origin, seed: 7 } as const;
    fencer.send({ kind: "request", atWallMs: 0, isTargetPreferred: false, ...wish });
    fencer.run(10_000);
    const certificates = fencer.effects.flatMap((effect) => (effect.kind === "record" ? [effect.record] : []));
    expect(certificates[0]).toMatchObject({ target: "alpha", action: "reboot", hasNotMet: true });
  });

  test("a node that comes back again and again to be fenced stays off, unless a person wants it up", () => {
    const fencer = start(configuration([device("bmc")]), obedient);
    const ons = () => fencer.story.filter((line) => line.endsWith("run bmc on")).length;
    for (let death = 1; death <= 4; death++) {
      fencer.request(`r${death}`);
      fencer.run(60_000);
    }
    expect(fencer.story.filter((line) => line.endsWith("confirmed")).length).toBe(4);
    expect(ons()).toBe(3);
    expect(fencer.effects.some((effect) => effect.kind === "log" && effect.text.startsWith("LOOP: alpha"))).toBe(true);
    fencer.request("root", "reboot", "operator");
    fencer.run(60_000);
    expect(ons()).toBe(4);
    fencer.run(15 * 60_000);
    fencer.request("r5");
    fencer.run(60_000);
    expect(ons()).toBe(5);
  });

  test("off stays off", () => {
    const fencer = start(configuration([device("bmc")]), obedient);
    fencer.request("r1", "off");
    fencer.run(10_000);
    expect(fencer.story.filter((line) => line.includes(" on"))).toEqual([]);
  });

  test("a wrong password is told at once, is never a proof, and is tried again", () => {
    const fencer = start(configuration([device("bmc", { tries: { off: 2, on: 1 } })]), () => NOT_DONE);
    fencer.request("r1");
    fencer.run(4_000);
    expect(fencer.story).toEqual(["0 run bmc off", "2000 run bmc off", "3000 answer r1 not-done"]);
    fencer.request("r2");
    fencer.run(8_000);
    expect(fencer.story.slice(3)).toEqual(["5000 run bmc off", "7000 run bmc off", "8000 answer r2 not-done"]);
    expect(certificateFor(fencer.state(), "alpha", 0)).toBeUndefined();
  });

  test("failed rounds pause ever longer, but an operator is served at once", () => {
    const fencer = start(configuration([device("bmc")]), () => NOT_DONE);
    for (let round = 0; round < 6; round++) {
      fencer.request(`r${round}`);
      fencer.run(31_000);
    }
    fencer.request("late");
    fencer.request("op", "off", "operator");
    fencer.run(1_000);
    expect(fencer.story.slice(-3)).toEqual([
      "186000 run bmc off",
      "187000 answer late not-done",
      "187000 answer op not-done",
    ]);
  });

  test("a confirmed on is no proof of off", () => {
    const fencer = start(configuration([device("bmc")]), () => ON);
    fencer.request("r1", "off");
    fencer.run(10_000);
    expect(fencer.story.at(-1)).toBe("1000 answer r1 not-done");
  });

  test("a runner that never answers ends as unknown", () => {
    const fencer = start(configuration([device("bmc")]), () => "never");
    fencer.request("r1");
    fencer.run(60_000);
    expect(fencer.story).toEqual(["0 run bmc off", "15000 answer r1 unknown"]);
  });

  test("no device, and fencing disabled: not done, at once", () => {
    const nobody = start(configuration([]), obedient);
    nobody.request("r1");
    const disabled = start({ ...configuration([device("bmc")]), isEnabled: false }, obedient);
    disabled.request("r1");
    expect([nobody.story, disabled.story]).toEqual([["0 answer r1 not-done"], ["0 answer r1 not-done"]]);
  });

  test("a device that must not be used from here is not used", () => {
    const fencer = start(configuration([device("bmc", { bannedFrom: ["bravo"] })]), obedient);
    fencer.request("r1");
    expect(fencer.story).toEqual(["0 answer r1 not-done"]);
  });

  test("delays come before the off, not before the on", () => {
    const fencer = start(configuration([device("bmc", { delayBaseMs: { alpha: 3_000 } })]), obedient);
    fencer.request("r1");
    fencer.run(10_000);
    const runs = fencer.story.filter((line) => line.includes("run"));
    expect(runs).toEqual(["0 run bmc status", "3000 run bmc off", "4000 run bmc on"]);
  });

  test("the random delay is drawn from the seed, within its limit", () => {
    const fencer = start(configuration([device("bmc", { delayMaxMs: 5_000 })]), obedient);
    fencer.request("r1");
    fencer.run(10_000);
    const atMs = Number(fencer.story.find((line) => line.endsWith(" off"))?.split(" ")[0]);
    expect(atMs).toBeGreaterThan(0);
    expect(atMs).toBeLessThanOrEqual(5_000);
  });
});

describe("levels", () => {
  const pdus = [device("pdu-a"), device("pdu-b"), device("bmc")];

  test("all devices of a level: off on all, then on on all", () => {
    const fencer = start(configuration(pdus, [["pdu-a", "pdu-b"]]), obedient);
    fencer.request("r1");
    fencer.run(10_000);
    expect(fencer.story).toEqual([
      "0 run pdu-a off",
      "1000 run pdu-b off",
      "2000 fenced alpha",
      "2000 answer r1 confirmed",
      "2000 run pdu-a on",
      "3000 run pdu-b on",
    ]);
  });

  test("one power supply of two is no proof; the next level is", () => {
    const half: Answers = (id, action) => (id === "pdu-b" ? UNKNOWN : action === "off" ? OFF : ON);
    const fencer = start(configuration(pdus, [["pdu-a", "pdu-b"], ["bmc"]]), half);
    fencer.request("r1", "off");
    fencer.run(10_000);
    expect(fencer.story).toEqual([
      "0 run pdu-a off",
      "1000 run pdu-b off",
      "2000 run bmc off",
      "3000 fenced alpha",
      "3000 answer r1 confirmed",
    ]);
  });

  test("when all levels fail and one is unknown, the whole is unknown", () => {
    const fencer = start(configuration(pdus, [["pdu-a"], ["bmc"]]), (id) => (id === "pdu-a" ? UNKNOWN : NOT_DONE));
    fencer.request("r1");
    fencer.run(10_000);
    expect(fencer.story.at(-1)).toBe("2000 answer r1 unknown");
  });

  test("a level that lacks a device is not tried with the rest of it", () => {
    const fencer = start(configuration([device("pdu-a")], [["pdu-a", "pdu-b"]]), obedient);
    fencer.request("r1");
    expect(fencer.story).toEqual(["0 answer r1 not-done"]);
  });
});

describe("requests at the same time", () => {
  test("are one fencing, and each is answered", () => {
    const fencer = start(configuration([device("bmc")]), obedient);
    fencer.request("r1");
    fencer.run(500);
    fencer.request("drbd", "off");
    fencer.run(10_000);
    expect(fencer.story).toEqual([
      "0 run bmc off",
      "1000 fenced alpha",
      "1000 answer r1 confirmed",
      "1000 answer drbd confirmed",
      "1000 run bmc on",
    ]);
  });

  test("an operator who wants it off keeps it off", () => {
    const fencer = start(configuration([device("bmc")]), obedient);
    fencer.request("r1");
    fencer.request("op", "off", "operator");
    fencer.run(10_000);
    expect(fencer.story.filter((line) => line.endsWith(" on"))).toEqual([]);
  });

  test("an operator's off stays one when the cluster's reboot joins: no device lets the node come back", () => {
    const disk = device("disk", { rebootParameters: { comes_back: "yes" }, tries: { off: 2, on: 1 } });
    const fencer = start(configuration([disk]), (_, __, attempt) => (attempt === 1 ? UNKNOWN : OFF));
    fencer.request("op", "off", "operator");
    fencer.request("cluster");
    fencer.run(10_000);
    const runs = fencer.effects.flatMap((effect) => (effect.kind === "run-device" ? [effect.device.parameters] : []));
    expect(runs).toEqual([{}, {}]);
    const records = fencer.effects.flatMap((effect) => (effect.kind === "answer" ? [effect.record.action] : []));
    expect(records).toEqual(["off", "off"]);
  });

  test("a request while the machine is being switched on is a new fencing after it", () => {
    const fencer = start(configuration([device("bmc")]), obedient);
    fencer.request("r1");
    fencer.run(1_500);
    fencer.request("r2", "off");
    fencer.run(10_000);
    expect(fencer.story.slice(3)).toEqual([
      "1000 run bmc on",
      "2000 run bmc off",
      "3000 fenced alpha",
      "3000 answer r2 confirmed",
    ]);
  });
});

describe("a race", () => {
  const racing = { ...configuration([device("bmc")]), priorityDelayMs: 5_000 };

  const race = (look: FencingOutcome | "never", isTargetPreferred = true) => {
    const fencer = start(racing, (_, action) => (action === "status" ? look : OFF));
    fencer.request("r1", "off", "scheduler", isTargetPreferred);
    fencer.run(10_000);
    return fencer.story.slice(0, 3);
  };
  for (const look of [ON, "never", NOT_DONE, UNKNOWN] as const)
    test(`a target that goes first, and of which a look tells ${JSON.stringify(look)}, is shot after the delay`, () => {
      expect(race(look)).toEqual(["0 run bmc status", "5000 run bmc off", "6000 fenced alpha"]);
    });
  test("a target without power costs no delay, and is proven off like any other", () => {
    expect(race(OFF)).toEqual(["0 run bmc status", "1000 run bmc off", "2000 fenced alpha"]);
  });
  test("who wants no delay at all does not wait, neither for priority nor for a device", () => {
    const slow = { ...configuration([device("bmc", { delayBaseMs: { "": 9_000 } })]), priorityDelayMs: 5_000 };
    const fencer = start(slow, obedient);
    const origin = { kind: "operator", by: "root" } as const;
    const wish = {
      target: "alpha",
      action: "off",
      origin,
      seed: 7,
      isTargetPreferred: true,
      isUndelayed: true,
    } as const;
    fencer.send({ kind: "request", atWallMs: 0, requestId: "r1", ...wish });
    fencer.run(5_000);
    expect(fencer.story[0]).toBe("0 run bmc off");
  });
  test("who goes first does not wait", () => expect(race(ON, false)[0]).toBe("0 run bmc off"));
});

describe("two targets behind one device", () => {
  const both = (actionLimit: number) => {
    const pdu = device("pdu", { targets: ["alpha", "charlie"], actionLimit });
    const fencer = start(configuration([pdu]), obedient);
    fencer.request("r1", "off");
    const origin = { kind: "scheduler", by: "r2" } as const;
    const other = { target: "charlie", action: "off", origin, seed: 7, isTargetPreferred: false } as const;
    fencer.send({ kind: "request", atWallMs: 0, requestId: "r2", ...other });
    fencer.run(10_000);
    return fencer.story.filter((line) => line.includes("run"));
  };
  test("wait for each other, for it has one login", () => {
    expect(both(1)).toEqual(["0 run pdu off", "1000 run pdu off"]);
  });
  test("go side by side where pcmk_action_limit allows it", () => {
    expect(both(2)).toEqual(["0 run pdu off", "0 run pdu off"]);
  });
});

describe("people", () => {
  const manual = device("hand", { isManual: true, timeoutMs: { off: 600_000, on: 0 } });

  test("a level of its own: asked after the board failed, reminded, and believed", () => {
    const fencer = start(configuration([device("bmc"), manual], [["bmc"], ["hand"]]), () => NOT_DONE);
    fencer.request("r1");
    fencer.run(120_000);
    expect(fencer.story).toEqual(["0 run bmc off", "1000 ask operator for alpha"]);
    fencer.confirm();
    expect(fencer.story.slice(2)).toEqual(["120000 fenced alpha", "120000 answer r1 confirmed"]);
    expect(certificateFor(fencer.state(), "alpha", 0)?.by).toEqual(["r1", "root on ttyS0"]);
    fencer.run(60_000);
    expect(fencer.story).toHaveLength(4);
  });

  test("a confirmation while the node still answers is refused", () => {
    const fencer = start(configuration([manual]), obedient);
    fencer.request("r1");
    fencer.confirm(["link eth1"]);
    expect(fencer.story).toEqual(["0 ask operator for alpha", "0 refused"]);
    expect(certificateFor(fencer.state(), "alpha", 0)).toBeUndefined();
  });

  test("a confirmation counts while a board is still being tried, whose late answer then changes nothing", () => {
    const fencer = start(configuration([device("bmc")]), () => UNKNOWN);
    fencer.request("r1");
    fencer.run(500);
    fencer.confirm();
    fencer.run(5_000);
    expect(fencer.story).toEqual(["0 run bmc off", "500 fenced alpha", "500 answer r1 confirmed"]);
  });

  test("nobody comes: not done", () => {
    const fencer = start(configuration([manual]), obedient);
    fencer.request("r1");
    fencer.run(700_000);
    expect(fencer.story.at(-1)).toBe("600000 answer r1 not-done");
  });
});

test("off is confirmed only by a whole level that read it back, and every request is answered once", () => {
  const outcome = fc.constantFrom<FencingOutcome | "never">(OFF, ON, NOT_DONE, UNKNOWN, "never");
  const deed = fc.oneof(
    fc.record({ kind: fc.constant("request" as const), action: fc.constantFrom("off", "on", "reboot") }),
    fc.record({ kind: fc.constant("run" as const), ms: fc.integer({ min: 1, max: 20_000 }) }),
  );
  const levels = [["pdu-a", "pdu-b"], ["bmc"]];
  fc.assert(
    fc.property(
      fc.array(outcome, { minLength: 1, maxLength: 12 }),
      fc.array(deed, { maxLength: 15 }),
      (results, deeds) => {
        let used = 0;
        const config = configuration([device("pdu-a"), device("pdu-b"), device("bmc")], levels);
        const fencer = start(config, () => results[used++ % results.length] ?? "never");
        let requests = 0;
        for (const each of deeds) {
          if (each.kind === "run") fencer.run(each.ms);
          else fencer.request(`r${requests++}`, each.action);
        }
        fencer.run(10_000_000);
        const answered = fencer.effects.flatMap((effect) => (effect.kind === "answer" ? [effect.requestId] : []));
        expect(answered.toSorted()).toEqual(Array.from({ length: requests }, (_, at) => `r${at}`).toSorted());
        for (const effect of fencer.effects) {
          if (effect.kind !== "fenced") continue;
          const proven = effect.record.devices.flatMap((each) =>
            each.outcome.kind === "confirmed" && each.outcome.power === "off" ? [each.device] : [],
          );
          expect(levels.some((level) => level.every((id) => proven.includes(id)))).toBe(true);
        }
        expect(fencer.state().operations).toEqual([]);
      },
    ),
    { numRuns: 500 },
  );
});
