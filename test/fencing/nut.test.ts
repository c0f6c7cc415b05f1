/** UPS outlets by NUT: the contract on a virtual server, then Debian's upsd, which its own upscmd has judged. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { upsDevice } from "../../src/fencing/drivers/nut.ts";
import { boundMs, provePower } from "../../src/fencing/drivers/prove-power.ts";
import type { UpsAnswer, UpsServer } from "../../src/hw/core/nut/ups-server.ts";
import { skips } from "../support/skip.ts";
import { startUps, type Ups } from "../support/ups-server.ts";
import { ContractDevice, describeContract } from "./driver-contract.ts";
import { useBoards, useRunner } from "./real-line.ts";

const times = { answerMs: 5_000, confirmMs: 30_000, pollMs: 500, settleMs: 2_000 };

for (const outlets of [undefined, ["1", "2"]]) {
  describeContract(outlets === undefined ? "nut, the whole UPS" : "nut, two outlets", {
    boundMs: boundMs(times),
    // upsd has no word for "busy", and a UPS that starts shows WAIT, never off.
    skips: ["is busy at first", "says off for a moment while it runs"],
    async run(behaviour, clock, action) {
      const device = new ContractDevice(behaviour, clock);
      const lost = (maybeReceived: boolean): UpsAnswer => {
        clock.advance(times.answerMs);
        return { kind: "lost", maybeReceived, reason: "no answer" };
      };
      const server: UpsServer = {
        async command(name) {
          if (behaviour.unreachable === true) return { kind: "lost", maybeReceived: false, reason: "hung up" };
          if (device.isSilent("command")) return lost(true);
          const answer = device.command(name.endsWith("on") ? "on" : "off");
          if (answer === "lost") return lost(true);
          return answer === "done" ? { kind: "value", text: "OK" } : { kind: "refused", code: "ACCESS-DENIED" };
        },
        async variable(name) {
          if (behaviour.unreachable === true || device.isSilent("other")) return lost(false);
          const words = name === "ups.status" ? { on: "OL CHRG", off: "OL OFF" } : { on: "on", off: "off" };
          return { kind: "value", text: words[device.status()] };
        },
      };
      return { outcome: await provePower(upsDevice(server, outlets), clock, times, action), power: device.power() };
    },
  });
}

const missing = ["/lib/nut/upsd", "/usr/bin/upscmd"].filter((file) => !existsSync(file));

describe.skipIf(skips(missing.length > 0, `not installed: ${missing.join(", ")}`))("a real upsd", () => {
  const RUNNER_MS = 60_000;
  /** On a busy machine; half of what a device has for an answer. */
  const AT_ONCE_MS = 10_000;
  const runner = useRunner("ups=adminpw\nwrong=other\nlooker=lookerpw\n");
  const servers = useBoards<Ups>();
  const start = (): Promise<Ups> => servers.keep(startUps());

  function device({ port }: Ups, more: Readonly<Record<string, string>> = {}) {
    const quick = { confirm_time: "30s", settle_time: "100ms", poll_time: "100ms", answer_time: "20s" };
    const login = { host: "127.0.0.1", port: String(port), ups: "rack", user: "fencer", secret: "ups" };
    return { id: "ups", driver: "nut", parameters: { ...login, outlets: "2", ...quick, ...more } };
  }

  test("the judge: upscmd and upsc switch and read it", async () => {
    const started = await start();
    const at = `rack@127.0.0.1:${started.port}`;
    const call = (file: string, ...argv: readonly string[]) =>
      execFileSync(file, [...argv], { stdio: ["ignore", "pipe", "ignore"] }).toString();
    // upsd serves before its driver has told it everything.
    await expect.poll(() => call("upscmd", "-l", at)).toContain("outlet.2.load.off");
    call("upscmd", "-u", "fencer", "-p", "adminpw", at, "outlet.2.load.off");
    await expect.poll(() => call("upsc", at, "outlet.2.status")).toBe("off\n");
    expect([started.power(1), started.power(2)]).toEqual(["on", "off"]);
  });

  test("one outlet, both, and the whole UPS go off and on again", async () => {
    const started = await start();
    const run = async (action: "off" | "on", more: Readonly<Record<string, string>>) =>
      (await runner.run(device(started, more), action, RUNNER_MS)).outcome;
    expect(await run("off", {})).toEqual({ kind: "confirmed", power: "off" });
    expect([started.power(1), started.power(2)]).toEqual(["on", "off"]);
    expect(await run("off", { outlets: "1,2" })).toEqual({ kind: "confirmed", power: "off" });
    expect(started.power(1)).toBe("off");
    const { outlets: _, ...whole } = device(started).parameters;
    const ask = async (action: "on" | "off") =>
      (await runner.run({ id: "whole", driver: "nut", parameters: whole }, action, RUNNER_MS)).outcome;
    expect(await ask("on")).toEqual({ kind: "confirmed", power: "on" });
    expect([started.power(1), started.power(2)]).toEqual(["on", "on"]);
    expect(await ask("off")).toEqual({ kind: "confirmed", power: "off" });
  });

  test("a UPS that says OK and does nothing is unknown", async () => {
    const started = await start();
    started.setVice("stuck");
    expect((await runner.run(device(started, { confirm_time: "2s" }), "off", RUNNER_MS)).outcome.kind).toBe("unknown");
  });

  test.each([
    ["a wrong password", { secret: "wrong" }, /does not accept this user or password for commands/],
    ["a user who may only look", { user: "looker", secret: "looker" }, /upsd.users \(instcmds\)/],
    ["another UPS", { ups: "other" }, /no UPS of this name; upsc -l/],
    ["an outlet that it does not have", { outlets: "7" }, /no such command; upscmd -l/],
    ["a port where nobody listens", { port: "1" }, /nothing listens on TCP port 1 .* is upsd running/],
    ["a name that nobody knows", { host: "no-such-server.invalid" }, /cannot be resolved/],
  ])("%s: not done without waiting for an answer, and the remedy is said", async (_, more, reason) => {
    const started = await start();
    const startedAtMs = performance.now();
    const { outcome } = await runner.run(device(started, more), "off", RUNNER_MS);
    expect(outcome).toMatchObject({ kind: "not-done", reason: expect.stringMatching(reason) });
    expect(performance.now() - startedAtMs).toBeLessThan(AT_ONCE_MS);
    expect(started.power(2)).toBe("on");
  });
});
