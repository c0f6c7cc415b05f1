/** The Route agent against the kernel's table in a network namespace. */
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import type { AgentCall } from "../../../src/cluster/edge/agents/contract.ts";
import { route } from "../../../src/cluster/edge/agents/route.ts";
import { inNetworkNamespace } from "../../support/network-namespace.ts";

function operate(operation: string, parameters: Record<string, string>) {
  const rest = { instance: "r", environment: {}, timeoutMs: 20_000, runDirectory: "/nonexistent" };
  const call: AgentCall = { operation, parameters, signal: AbortSignal.timeout(20_000), ...rest };
  return route.operate(call);
}

test.each([
  [{ destination: "203.0.113.0/24", gateway: "198.18.7.9" }, "203.0.113.0/24 via 198.18.7.9 dev a0"],
  [{ destination: "203.0.113.7", device: "b0" }, "203.0.113.7 dev b0"],
  [{ destination: "default", gateway: "198.18.7.9", source: "198.18.7.1" }, "default via 198.18.7.9 dev a0"],
  [{ destination: "203.0.113.0/24", device: "a0", table: "77" }, "203.0.113.0/24 dev a0"],
])("%j comes and goes", (parameters, shown) =>
  inNetworkNamespace(async () => {
    const table = "table" in parameters ? parameters.table : "main";
    const routes = () => {
      try {
        return execFileSync("ip", ["route", "show", "table", table ?? "main"], { stdio: "pipe" }).toString();
      } catch {
        return "";
      }
    };
    const given: Record<string, string> = { ...parameters };
    expect((await operate("monitor", given)).code).toBe(7);
    expect(await operate("start", given)).toEqual({ code: 0, reason: "" });
    expect(routes()).toContain(shown);
    expect((await operate("start", given)).code).toBe(0);
    expect((await operate("monitor", given)).code).toBe(0);
    expect(await operate("stop", given)).toEqual({ code: 0, reason: "" });
    expect(routes()).not.toContain(shown);
    expect((await operate("stop", given)).code).toBe(0);
  }),
);

test("all faults are told at once, and a stop does not fail for them", () =>
  inNetworkNamespace(async () => {
    const parameters = { destination: "x", device: "none0", gateway: "y" };
    const { code, reason } = await operate("start", parameters);
    expect(code).toBe(6);
    expect(reason).toBe('destination "x" is no network; gateway "y" is no address; there is no interface none0');
    expect((await operate("stop", parameters)).code).toBe(0);
  }));

test("a gateway that cannot be reached is refused by the kernel", () =>
  inNetworkNamespace(async () => {
    const { code, reason } = await operate("start", { destination: "203.0.113.0/24", gateway: "192.0.2.1" });
    expect([code, reason]).toEqual([1, "adding the route: ENETUNREACH"]);
  }));
