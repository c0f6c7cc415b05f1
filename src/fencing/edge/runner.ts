/**
 * The edge of fencing: has the connection opened that a driver needs, runs one action within its time, and writes down
 * what was asked and answered.
 * When the time is over the driver is cut off from the device: what it does afterwards reaches nobody.
 */
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { isSameGuid } from "../../hw/core/ipmi/guid.ts";
import type {
  Clock,
  DeviceReport,
  Evidence,
  FencingAction,
  FencingOutcome,
  PowerDevice,
  PowerReading,
  SwitchAnswer,
} from "../core/driver.ts";
import { driverOf } from "../drivers/index.ts";
import { inPlainWords } from "../drivers/plain-words.ts";
import { provePower } from "../drivers/prove-power.ts";
import { type ClusterSight, createDeviceOpener } from "./open-device.ts";

/** What the runner must know of a configured device. */
export interface RunnableDevice {
  readonly id: string;
  readonly driver: string;
  readonly parameters: Readonly<Record<string, string>>;
}

export interface DeviceRunner {
  /**
   * Resolves within `timeoutMs`, or as soon as it is called off; `status` logs in, reads the board's identity and the
   * power. Rejects only for a bug.
   */
  run(device: RunnableDevice, action: FencingAction, timeoutMs: number, calledOff?: AbortSignal): Promise<DeviceReport>;
  /** Ends all sessions without waiting for the boards. */
  close(): void;
}

export interface RunnerOptions {
  readonly secretsFile: string;
  /** Of this machine, undefined where it is not known: a board that shows it is never switched off from here. */
  readonly ownUuid?: string | undefined;
  /** Absent without a running cluster: then no lock and no watchdog proves anything. */
  readonly sight?: ClusterSight;
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

function describeSwitch(answer: SwitchAnswer): string {
  if (answer.kind === "accepted") return "accepted";
  return answer.kind === "wrong-state" ? "not in this state" : `${answer.kind}: ${answer.reason}`;
}

function describeReading(reading: PowerReading): string {
  if (reading.kind === "power") return reading.by === undefined ? reading.power : `${reading.power} by ${reading.by}`;
  return reading.kind === "not-told" ? reading.text : reading.reason;
}

/** The same device, which writes down what it is asked, until it is cut off. */
function recordDevice(device: PowerDevice, recorder: Recorder, isOver: () => boolean): PowerDevice {
  const reason = "the time for this device is over";
  return {
    async switchPower(wanted) {
      if (isOver()) return { kind: "maybe", reason };
      const answer = await device.switchPower(wanted);
      recorder.note(`switch ${wanted}`, describeSwitch(answer));
      return answer;
    },
    async readPower() {
      if (isOver()) return { kind: "unreadable", reason };
      const answer = await device.readPower();
      recorder.note("read power", describeReading(answer));
      return answer;
    },
    async readIdentity() {
      if (isOver()) return { kind: "unreadable", reason };
      const answer = await device.readIdentity();
      recorder.note("read identity", answer.kind === "identity" ? answer.text : answer.reason);
      return answer;
    },
  };
}

/**
 * Why this device must not be used, or undefined. A `status` always looks at the identity; an `off` does where one is
 * expected, or where nobody has looked yet whether the board is our own.
 */
async function objectTo(
  device: PowerDevice,
  action: FencingAction,
  expected: string | undefined,
  own: { readonly uuid: string | undefined; readonly isKnownForeign: boolean },
): Promise<{ readonly reason: string } | "foreign" | undefined> {
  const needsOwn = own.uuid !== undefined && !own.isKnownForeign;
  if (expected === undefined && action !== "status" && !needsOwn) return undefined;
  const identity = await device.readIdentity();
  if (identity.kind === "unreadable") {
    // Without an expectation only a board that shows our own UUID is refused: many show none.
    return expected === undefined && action !== "status" ? undefined : { reason: identity.reason };
  }
  const seen = identity.uuid ?? "";
  if (action !== "on" && own.uuid !== undefined && isSameGuid(seen, own.uuid)) {
    const reason = `this is our own board: its GUID ${seen} is the UUID of this machine, which would shoot itself`;
    return { reason: `${reason}; correct the device's host, or keep it from this node by a location constraint` };
  }
  if (expected === undefined || isSameGuid(seen, expected)) return "foreign";
  const words = `this is another board: its GUID is ${identity.uuid ?? "not told"}, expected was ${expected}`;
  return { reason: `${words}; correct the device's host, or its board_guid` };
}

/** Answers after `timeoutMs` at the latest, or when called off; afterwards the driver reaches the device no more. */
async function within(
  timeoutMs: number,
  calledOff: AbortSignal | undefined,
  run: (isOver: () => boolean, cut: AbortSignal) => Promise<FencingOutcome>,
): Promise<FencingOutcome> {
  const cut = new AbortController();
  let over = false;
  let end: (reason: string) => void = () => {};
  const ended = new Promise<FencingOutcome>((resolve) => {
    end = (reason) => {
      over = true;
      cut.abort();
      resolve({ kind: "unknown", reason });
    };
  });
  const timer = setTimeout(() => end(`the device did not come to an end within ${timeoutMs} ms`), timeoutMs);
  const callOff = () => end("it was called off");
  calledOff?.addEventListener("abort", callOff, { once: true });
  try {
    return await Promise.race([run(() => over, cut.signal), ended]);
  } finally {
    clearTimeout(timer);
    calledOff?.removeEventListener("abort", callOff);
    over = true;
  }
}

/** A runner for all devices of one node. */
export function createRunner({ secretsFile, ownUuid, sight }: RunnerOptions): DeviceRunner {
  /** Devices whose board has shown that it is not this machine's; a changed device is another one. */
  const foreign = new Set<string>();
  const opener = createDeviceOpener(secretsFile, sight);

  return {
    async run({ id, driver: name, parameters }, action, timeoutMs, calledOff) {
      const notDone = (reason: string): DeviceReport => ({ outcome: { kind: "not-done", reason }, evidence: [] });
      const driver = driverOf(name);
      if (driver === undefined) return notDone(`no driver is called ${name}`);
      const read = driver.read(parameters);
      if (read.kind === "wrong") {
        return notDone(read.complaints.map(({ parameter, remedy }) => `${parameter}: ${remedy}`).join("; "));
      }
      const { bound } = read;
      const recorder = createRecorder();
      const outcome = await within(timeoutMs, calledOff, async (isOver, cut): Promise<FencingOutcome> => {
        const opened = await opener.open(id, bound, cut);
        if (opened.kind === "failed") return { kind: "not-done", reason: opened.reason };
        const device = recordDevice(inPlainWords(opened.value.device), recorder, isOver);
        const key = JSON.stringify([id, name, parameters]);
        const own = { uuid: ownUuid, isKnownForeign: foreign.has(key) };
        const objection = await objectTo(device, action, bound.expectedUuid, own);
        if (objection === "foreign") foreign.add(key);
        const proof: FencingOutcome =
          typeof objection === "object"
            ? { kind: "not-done", reason: objection.reason }
            : await provePower(device, realClock, bound.times, action);
        opened.value.close();
        return proof;
      });
      return { outcome, evidence: [...recorder.evidence] };
    },
    close: () => opener.close(),
  };
}
