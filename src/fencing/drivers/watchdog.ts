/**
 * Watchdog fencing without any device: a node that loses quorum is ended by its own watchdog, and whoever has quorum
 * takes it for off when it must have happened. This driver only reads what the membership has proven
 * (src/cluster/core/membership/silent-end.ts); it switches nothing. A member that has to go, because a stop has failed
 * there or an operator wants it, is declared lost: it hears that and ends itself, and the same time counts.
 * Facts: Pacemaker Explained, stonith-watchdog-timeout; sbd(8), "Diskless mode".
 */
import * as v from "valibot";
import type { WatchdogPromises } from "../../hw/core/watchdog/promise.ts";
import type { PowerDevice } from "../core/driver.ts";
import { defineDriver } from "./define-driver.ts";
import { powerTimes, text, timesOf } from "./parameter.ts";

/** From the end of the wait until every member has answered once more. */
const MARGIN_MS = 5_000;

const parameters = v.strictObject({
  node: text("name the node whose watchdog it is"),
  // The proof is a time that has passed; there is nothing that could settle.
  ...powerTimes({ answerMs: 1_000, confirmMs: 120_000, pollMs: 250, settleMs: 0 }),
});

const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;

export function watchdogDevice(
  promises: WatchdogPromises,
  { node, confirmMs }: { readonly node: string; readonly confirmMs: number },
): PowerDevice {
  return {
    switchPower(wanted) {
      if (wanted === "on") return Promise.resolve({ kind: "refused", reason: "a watchdog switches no machine on" });
      const read = promises.read(node);
      if (read.kind === "none") return Promise.resolve({ kind: "refused", reason: read.reason });
      const waitMs = (read.kind === "ended" ? 0 : read.waitMs) + MARGIN_MS;
      if (waitMs > confirmMs) {
        const reason = `its end takes up to ${seconds(waitMs)}; write confirm_time=${Math.ceil(waitMs / 1_000)}s`;
        return Promise.resolve({ kind: "refused", reason });
      }
      if (read.kind === "heard") promises.declareLost(node);
      return Promise.resolve({ kind: "accepted" });
    },
    readPower() {
      const read = promises.read(node);
      switch (read.kind) {
        case "none":
          return Promise.resolve({ kind: "unreadable", reason: read.reason });
        case "heard": {
          const text = `it is heard; without quorum it ends within ${seconds(read.endsWithinMs)}`;
          return Promise.resolve({ kind: "not-told", text });
        }
        case "waiting": {
          const reason = `nobody of a majority hears it; not yet for ${seconds(read.waitMs)}`;
          return Promise.resolve({ kind: "unreadable", reason });
        }
        case "ended": {
          const quiet = `no majority has heard it for ${seconds(read.quietMs)}`;
          const by = `its own watchdog: ${quiet}, and it promised to end within ${seconds(read.endsWithinMs)}`;
          return Promise.resolve({ kind: "power", power: "off", by });
        }
        default:
          return read satisfies never;
      }
    },
    readIdentity() {
      const silent = promises.withoutPromise();
      if (silent.length === 0)
        return Promise.resolve({
          kind: "identity",
          uuid: undefined,
          text: "every member promises to end without quorum",
        });
      const remedy = "write quorum-lease in its configuration";
      const reason = `${silent.join(", ")} does not promise to end without quorum; ${remedy}`;
      return Promise.resolve({ kind: "unreadable", reason });
    },
  };
}

export const watchdog = defineDriver(
  "watchdog",
  parameters,
  ({ node, ...times }) => ({
    transport: "promise",
    target: { node },
    times: timesOf(times),
    expectedUuid: undefined,
    device: (promises) => watchdogDevice(promises, { node, confirmMs: times.confirm_time }),
  }),
  { switchesOn: false },
);
