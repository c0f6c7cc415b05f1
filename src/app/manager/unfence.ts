/**
 * Unfencing: before anything starts on a node, every device that had cut it off must let it in again. The DC has the
 * node itself do it; devices that a location constraint keeps from it, the first member that may. It holds no rule.
 */
import { compareVersion } from "../../cluster/core/cib-store/lineage.ts";
import type { FencingResult } from "../../cluster/core/controller/types.ts";
import { planUnfencing } from "../../fencing/core/configuration.ts";
import type { FencingRecord } from "../../fencing/core/fencer-state.ts";
import { ASK_FENCE_WAIT_MS, ask } from "./ask-peer.ts";
import type { Manager } from "./manager.ts";
import type { ManagerMessage } from "./messages.ts";

type Order = Pick<Extract<ManagerMessage, { readonly room: "unfence" }>, "target" | "devices" | "by" | "version">;

/** This node's share. By devices as they were before a change that has not come here yet nobody is let in. */
export async function unfenceHere(manager: Manager, { target, devices, by, version }: Order): Promise<FencingRecord> {
  if (compareVersion(manager.node.store.stored.version, version) >= 0)
    return await manager.fencing.request(target, "on", { kind: "scheduler", by }, { unfenceBy: devices });
  const nowWallMs = Date.now();
  const outcome = { kind: "not-done", reason: `${manager.self} has an older configuration than the DC` } as const;
  const times = { startedWallMs: nowWallMs, endedWallMs: nowWallMs };
  return { node: manager.self, id: 0, target, action: "on", outcome, devices: [], by: [by], ...times };
}

async function unfenceThere(manager: Manager, node: string, order: Order): Promise<FencingRecord | undefined> {
  const make = (number: number) => ({ room: "unfence", ask: number, ...order }) as const;
  const message = await ask(manager, node, make, ASK_FENCE_WAIT_MS);
  return message?.room === "unfence-answer" ? message.record : undefined;
}

/** Asked by the DC. Resolves when all have answered; only `confirmed` lets the node start anything. */
export async function unfence(manager: Manager, target: string): Promise<FencingResult> {
  const { self, view, fencing } = manager;
  const ended = (outcome: FencingResult["outcome"], reason: string): FencingResult => {
    return { target, action: "on", outcome, reason };
  };
  const { shares, nobodys } = planUnfencing(fencing.configuration(), target, [self, ...(view?.members ?? [])]);
  if (nobodys.length > 0) return ended("not-done", `constraints keep ${nobodys.join(", ")} from every member`);
  const orders = Object.entries(shares);
  if (orders.length === 0) return ended("not-done", `no usable device lets ${target} in`);
  const records = await Promise.all(
    orders.map(async ([node, devices]) => {
      const order = { target, devices, by: `${self}: the cluster`, version: manager.node.store.stored.version };
      return { node, record: await (node === self ? unfenceHere(manager, order) : unfenceThere(manager, node, order)) };
    }),
  );
  for (const { node, record } of records) {
    if (record === undefined) return ended("unknown", `${node} has not answered`);
    if (record.outcome.kind !== "confirmed") return ended(record.outcome.kind, `${node}: ${record.outcome.reason}`);
  }
  return ended("confirmed", `let in by ${orders.flatMap(([, devices]) => devices).join(", ")}`);
}
