/** Redfish: the contract on a virtual clock, then a real HTTPS board that fence_redfish has judged. */
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { boundMs, provePower } from "../../src/fencing/drivers/prove-power.ts";
import { redfishDevice } from "../../src/fencing/drivers/redfish.ts";
import type { WebAnswer, WebBoard } from "../../src/hw/core/web/answer.ts";
import { FINGERPRINT } from "../support/board-certificate.ts";
import {
  ACCOUNT,
  answerRedfish,
  BOARDS,
  type RedfishMachine,
  type RedfishOptions,
  type RedfishServer,
  startRedfish,
  UUID,
} from "../support/redfish-emulator.ts";
import { skips } from "../support/skip.ts";
import { ContractDevice, describeContract } from "./driver-contract.ts";
import { createJudge, LOGIN, useBoards, useRunner } from "./real-line.ts";

const times = { answerMs: 8_000, confirmMs: 30_000, pollMs: 500, settleMs: 1_000 };
const authorization = `Basic ${Buffer.from(`${ACCOUNT.user}:${ACCOUNT.password}`).toString("base64")}`;

describeContract("redfish", {
  boundMs: boundMs(times),
  async run(behaviour, clock, action) {
    const device = new ContractDevice(behaviour, clock);
    const machine: RedfishMachine = {
      state: () => (device.status() === "on" ? "On" : "Off"),
      reset(type) {
        const answer = device.command(type === "On" ? "on" : "off");
        if (answer === "lost") return "cut";
        if (answer === "denied") return { status: 403, error: "Base.1.0.InsufficientPrivilege" };
        return answer === "busy" ? { status: 503, error: "Base.1.0.ServiceTemporarilyUnavailable" } : { status: 204 };
      },
    };
    const silent = (maybeReceived: boolean): WebAnswer => {
      clock.advance(times.answerMs);
      return { kind: "silent", maybeReceived, reason: "no answer" };
    };
    const board: WebBoard = {
      async request(method, url, body) {
        if (behaviour.unreachable === true) return { kind: "refused", reason: "nothing listens" };
        if (device.isSilent(method === "POST" ? "command" : "other")) return silent(true);
        const answer = answerRedfish({ machine }, method, url, authorization, JSON.stringify(body ?? {}));
        return answer === "cut" ? silent(true) : { kind: "response", ...answer };
      },
    };
    return { outcome: await provePower(redfishDevice(board, undefined), clock, times, action), power: device.power() };
  },
});

/** A machine that is on its way for one look, and says PoweringOff meanwhile. */
function createMachine(): RedfishMachine & { readonly set: (state: string) => void } {
  let state = "On";
  let next: string | undefined;
  return {
    state() {
      const seen = state;
      state = next ?? state;
      next = undefined;
      return seen;
    },
    set(wanted) {
      state = wanted;
    },
    reset(type) {
      if (type === "ForceOff" && state === "Off")
        return { status: 400, error: "iLO.2.14.InvalidOperationForSystemState" };
      state = type === "On" ? "PoweringOn" : "PoweringOff";
      next = type === "On" ? "On" : "Off";
      return { status: 204 };
    },
  };
}

const runner = useRunner();
const boards = useBoards<RedfishServer>();

async function start(options: Partial<RedfishOptions> = {}) {
  const machine = createMachine();
  return { machine, server: await boards.keep(startRedfish({ machine, ...options })) };
}

function device(port: number, more: Readonly<Record<string, string>> = {}) {
  const quick = { confirm_time: "20s", settle_time: "100ms", poll_time: "50ms", answer_time: "10s" };
  const login = { ...LOGIN, port: String(port), certificate: FINGERPRINT };
  return { id: "f", driver: "redfish", parameters: { ...login, ...quick, ...more } };
}

describe.skipIf(skips(!existsSync("/usr/sbin/fence_redfish"), "fence-agents, the judge, is not installed"))(
  "the judge: fence_redfish drives our board",
  () => {
    test.concurrent.each(Object.entries(BOARDS))("as %s: status, off and on", async (_, own) => {
      const { machine, server } = await start({ board: own });
      const fence = createJudge("fence_redfish", server.port, "--ssl-insecure", "--redfish-uri=/redfish/v1");
      expect(await fence("status")).toContain("Status: ON");
      expect(await fence("off")).toContain("Success: Powered OFF");
      expect(machine.state()).toBe("Off");
      expect(await fence("on")).toContain("Success: Powered ON");
    });
  },
);

describe("our driver over a real line", () => {
  test.concurrent.each([
    ["answers 204", {}],
    ["answers with a task", { answersTask: true }],
    ["has a neighbour", { hasNeighbour: true }],
  ])("a board that %s: off is confirmed only when it is off, then on", async (_, options) => {
    const { machine, server } = await start(options);
    const right = device(server.port, { system_uuid: UUID });
    const { outcome, evidence } = await runner.run(right, "off", 30_000);
    expect([outcome, machine.state()]).toEqual([{ kind: "confirmed", power: "off" }, "Off"]);
    expect(evidence.map(({ asked, answered }) => `${asked}: ${answered}`)).toEqual([
      "switch off: accepted",
      "read power: on",
      "read power: off",
    ]);
    expect((await runner.run(right, "on", 30_000)).outcome).toEqual({ kind: "confirmed", power: "on" });
    expect(server.requests.filter((line) => line.includes("Systems/2/Actions"))).toEqual([]);
  });

  test("a machine that is off already", async () => {
    const { machine, server } = await start();
    machine.set("Off");
    expect((await runner.run(device(server.port), "off", 30_000)).outcome.kind).toBe("confirmed");
  });

  test.each([
    ["a wrong password", { secret: "wrong" }, {}, /does not know this user or password/],
    ["two systems and no UUID", {}, { hasNeighbour: true }, /2 systems; say which one by system_uuid/],
    ["another machine's UUID", { system_uuid: "00000000000000000000000000000001" }, {}, /no system .* correct/],
    ["a board without ForceOff", {}, { resetTypes: ["On", "GracefulShutdown"] }, /does not offer ForceOff/],
  ])("%s is not done, and says why", async (_, parameters, options, expected) => {
    const { machine, server } = await start(options);
    const { outcome } = await runner.run(device(server.port, parameters), "off", 30_000);
    expect(outcome).toMatchObject({ kind: "not-done", reason: expect.stringMatching(expected) });
    expect(machine.state()).toBe("On");
  });

  test("another certificate than the pinned one: nothing is sent", async () => {
    const { server } = await start();
    const impostor = device(server.port, { certificate: "ab".repeat(32) });
    const { outcome } = await runner.run(impostor, "off", 30_000);
    expect(outcome).toMatchObject({ kind: "not-done", reason: expect.stringContaining("another certificate") });
    expect(server.requests).toEqual([]);
  });

  test("nobody listens", async () => {
    const { server } = await start();
    await server.close();
    const { outcome } = await runner.run(device(server.port), "status", 30_000);
    expect(outcome).toMatchObject({ kind: "not-done", reason: expect.stringContaining("nothing listens on TCP") });
  });
});
