/**
 * The edge of fencing: opens the connection that a driver needs, runs one action within its time, and writes down
 * what was asked and answered. Connections are kept, one a device, because an open session answers in a tenth of a
 * millisecond and boards have few of them.
 * When the time is over the driver is cut off from the device: what it does afterwards reaches nobody.
 */
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import * as v from "valibot";
import { type Bmc, type BmcFailure, describeFailure } from "../../hw/core/ipmi/bmc.ts";
import { isSameGuid } from "../../hw/core/ipmi/guid.ts";
import { createIpmiConnection, type IpmiConnection } from "../../hw/edge/udp-ipmi.ts";
import type { Clock, DeviceReport, Evidence, FencingAction, FencingOutcome, Transports } from "../core/driver.ts";
import { DRIVERS } from "../drivers/index.ts";
import { readSecret } from "./secrets.ts";

/** What the runner must know of a configured device. */
export interface RunnableDevice {
  readonly id: string;
  readonly driver: string;
  readonly parameters: Readonly<Record<string, string>>;
}

export interface DeviceRunner {
  /**
   * Resolves within `timeoutMs`; `status` logs in, reads the board's identity and the power.
   * Rejects only for a bug.
   */
  run(device: RunnableDevice, action: FencingAction, timeoutMs: number): Promise<DeviceReport>;
  /** Ends all sessions without waiting for the boards. */
  close(): void;
}

export interface RunnerOptions {
  readonly secretsFile: string;
}

/** More would only repeat "still on"; a certificate must stay readable. */
const EVIDENCE_MAX = 40;

const realClock: Clock = {
  nowMs: () => performance.now(),
  sleep: (durationMs) => sleep(Math.max(0, durationMs)),
};

interface Recorder {
  readonly evidence: readonly Evidence[];
  note(asked: string, answered: string): void;
}

/** The same answer to the same question in a row is kept once, with its first and last time. */
function createRecorder(): Recorder {
  const evidence: Evidence[] = [];
  return {
    evidence,
    note(asked, answered) {
      const nowWallMs = Date.now();
      const last = evidence.at(-1);
      if (last?.asked === asked && last.answered === answered)
        evidence.splice(-1, 1, { ...last, lastWallMs: nowWallMs });
      else if (evidence.length < EVIDENCE_MAX) {
        evidence.push({ atWallMs: nowWallMs, lastWallMs: nowWallMs, asked, answered });
      }
    },
  };
}

/** A board that writes down what it is asked, until it is cut off. */
function recordBmc(bmc: Bmc, recorder: Recorder, isOver: () => boolean): Bmc {
  const over: BmcFailure = { kind: "silent", maybeReceived: true, reason: "the time for this device is over" };
  return {
    async power() {
      if (isOver()) return over;
      const answer = await bmc.power();
      recorder.note("Get Chassis Status", answer.kind === "power" ? `power ${answer.power}` : describeFailure(answer));
      return answer;
    },
    async control(command) {
      if (isOver()) return over;
      const answer = await bmc.control(command);
      recorder.note(`Chassis Control ${command}`, answer.kind === "accepted" ? "accepted" : describeFailure(answer));
      return answer;
    },
    async identity() {
      if (isOver()) return over;
      const answer = await bmc.identity();
      const text =
        answer.kind === "identity"
          ? `GUID ${answer.guid}, manufacturer ${answer.manufacturerId}, product ${answer.productId}, ` +
            `firmware ${answer.firmware}`
          : describeFailure(answer);
      recorder.note("Get Device ID", text);
      return answer;
    },
  };
}

interface KeptConnection {
  /** Everything that makes a connection another one, the secret included; never logged. */
  readonly key: string;
  readonly connection: IpmiConnection;
}

type Opened<Connection> =
  | { readonly kind: "opened"; readonly connection: Connection }
  | { readonly kind: "failed"; readonly reason: string };

function openIpmi(
  kept: Map<string, KeptConnection>,
  secretsFile: string,
  id: string,
  transport: Transports["ipmi"],
): Opened<Bmc> {
  const password = readSecret(secretsFile, transport.secret);
  if (password.kind === "no-secret") return { kind: "failed", reason: `${password.reason}; ${password.remedy}` };
  const kg = transport.kgSecret === undefined ? undefined : readSecret(secretsFile, transport.kgSecret);
  if (kg?.kind === "no-secret") return { kind: "failed", reason: `${kg.reason}; ${kg.remedy}` };
  const { host, port, user, cipherSuite: suite, privilege, answerMs: budgetMs } = transport;
  const account = {
    user,
    password: password.value,
    ...(kg === undefined ? {} : { kg: kg.value }),
    suite,
    privilege,
  };
  const target = { host, port, account, budgetMs };
  const key = JSON.stringify(target);
  const known = kept.get(id);
  if (known?.key === key) return { kind: "opened", connection: known.connection };
  known?.connection.close();
  const connection = createIpmiConnection(target);
  kept.set(id, { key, connection });
  return { kind: "opened", connection };
}

/** Why this board must not be switched, or undefined. A `status` always looks at the identity. */
async function identify(bmc: Bmc, action: FencingAction, expected: string | undefined): Promise<string | undefined> {
  if (expected === undefined && action !== "status") return undefined;
  const identity = await bmc.identity();
  if (identity.kind !== "identity") return describeFailure(identity);
  if (expected === undefined || isSameGuid(identity.guid, expected)) return undefined;
  return (
    `this is another board: its GUID is ${identity.guid}, expected was ${expected}; ` +
    "correct the device's host, or its board_guid"
  );
}

/** Answers after `timeoutMs` at the latest; afterwards the driver reaches the device no more. */
async function within(
  timeoutMs: number,
  run: (isOver: () => boolean) => Promise<FencingOutcome>,
): Promise<FencingOutcome> {
  let over = false;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<FencingOutcome>((resolve) => {
    timer = setTimeout(() => {
      over = true;
      resolve({ kind: "unknown", reason: `the device did not come to an end within ${timeoutMs} ms` });
    }, timeoutMs);
  });
  try {
    return await Promise.race([run(() => over), late]);
  } finally {
    clearTimeout(timer);
    over = true;
  }
}

/** A runner for all devices of one node. */
export function createRunner({ secretsFile }: RunnerOptions): DeviceRunner {
  const kept = new Map<string, KeptConnection>();
  return {
    async run({ id, driver: name, parameters: given }, action, timeoutMs) {
      const driver = Object.entries(DRIVERS).find(([known]) => known === name)?.[1];
      if (driver === undefined) {
        return { outcome: { kind: "not-done", reason: `no driver is called ${name}` }, evidence: [] };
      }
      const read = v.safeParse(driver.parameters, given);
      if (!read.success) {
        const reason = read.issues
          .map((issue) => `${v.getDotPath(issue) ?? "parameters"}: ${issue.message}`)
          .join("; ");
        return { outcome: { kind: "not-done", reason }, evidence: [] };
      }
      const parameters = read.output;
      const opened = openIpmi(kept, secretsFile, id, parameters);
      if (opened.kind === "failed") return { outcome: { kind: "not-done", reason: opened.reason }, evidence: [] };
      const recorder = createRecorder();
      const outcome = await within(timeoutMs, async (isOver) => {
        const bmc = recordBmc(opened.connection, recorder, isOver);
        const objection = await identify(bmc, action, parameters.boardGuid);
        if (objection !== undefined) return { kind: "not-done", reason: objection };
        return driver[action](bmc, realClock, parameters);
      });
      return { outcome, evidence: [...recorder.evidence] };
    },
    close() {
      for (const { connection } of kept.values()) connection.close();
      kept.clear();
    },
  };
}
