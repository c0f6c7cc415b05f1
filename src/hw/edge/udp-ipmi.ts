/**
 * A board reached over UDP: joins the RMCP+ session core to a socket, a timer and callers.
 * One session is opened with the first request, kept and used again; the core opens it anew when the board forgot it.
 * Nothing here rejects for what the network does: each call resolves within the budget with what is known.
 */
import { randomBytes } from "node:crypto";
import type { IpmiAccount } from "../core/ipmi/account.ts";
import {
  type Bmc,
  chassisControl,
  GET_CHASSIS_STATUS,
  GET_DEVICE_ID,
  readControl,
  readIdentity,
  readPower,
} from "../core/ipmi/bmc.ts";
import type { IpmiRequest } from "../core/ipmi/message.ts";
import { type SessionContext, stepSession } from "../core/ipmi/session.ts";
import { boardGuid, createSession, type IpmiResult, type SessionEvent, wakeAtMs } from "../core/ipmi/session-state.ts";
import { ipmiCrypto } from "./ipmi-crypto.ts";
import { createWire } from "./udp-wire.ts";

export interface IpmiTarget {
  readonly host: string;
  readonly port: number;
  readonly account: IpmiAccount;
  /** For one call, opening the session included. */
  readonly budgetMs: number;
}

export interface IpmiConnection extends Bmc {
  /** Any other request, for identity, sensors and tests. */
  ask(request: IpmiRequest, budgetMs?: number): Promise<IpmiResult>;
  /** Ends the session without waiting for the board; calls under way resolve as silent. */
  close(): void;
}

/** Costs nothing until the first call. */
export function createIpmiConnection(target: IpmiTarget): IpmiConnection {
  const context: SessionContext = { crypto: ipmiCrypto, account: target.account };
  const waiting = new Map<number, (result: IpmiResult) => void>();
  let state = createSession(randomBytes(32).toString("hex"));
  let lastId = 0;
  let timer: NodeJS.Timeout | undefined;
  const wire = createWire(
    target,
    (bytes) => dispatch({ kind: "datagram", bytes }),
    (reason) => dispatch({ kind: "network-error", reason }),
  );

  function dispatch(event: SessionEvent): void {
    const stepped = stepSession(context, state, event, performance.now());
    state = stepped.state;
    for (const effect of stepped.effects) {
      if (effect.kind === "send") wire.send(effect.bytes);
      else {
        waiting.get(effect.id)?.(effect.result);
        waiting.delete(effect.id);
      }
    }
    clearTimeout(timer);
    const atMs = wakeAtMs(state);
    // One more millisecond, for timers fire early by a fraction and would only find that nothing is due yet.
    // After a stall of this process the timer comes before the socket: answers that wait there must count first.
    const tick = () => setImmediate(() => dispatch({ kind: "tick" }));
    if (atMs !== undefined) timer = setTimeout(tick, Math.max(0, atMs - performance.now() + 1));
  }

  function ask(request: IpmiRequest, budgetMs = target.budgetMs): Promise<IpmiResult> {
    lastId += 1;
    const id = lastId;
    return new Promise((resolve) => {
      waiting.set(id, resolve);
      dispatch({ kind: "request", id, request, budgetMs });
    });
  }

  return {
    ask,
    power: async () => readPower(await ask(GET_CHASSIS_STATUS)),
    control: async (command) => readControl(await ask(chassisControl(command))),
    identity: async () => {
      const result = await ask(GET_DEVICE_ID);
      return readIdentity(result, boardGuid(state) ?? "");
    },
    close() {
      dispatch({ kind: "close" });
      wire.close();
    },
  };
}
