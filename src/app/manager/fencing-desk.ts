/**
 * The fencing of one node: the fencer core, the runner of its devices, and everybody who asked for something.
 * The scheduler, DRBD's handler and operators all come here; one round serves all who want the same.
 */
import { randomInt } from "node:crypto";
import { entryOf } from "../../base/record.ts";
import type { XmlElement } from "../../base/xml.ts";
import type { OperationRun } from "../../cluster/core/executor/types.ts";
import type { RunEnd } from "../../cluster/edge/resource-agent.ts";
import type { FencingConfiguration, FencingDevice, FencingRequestAction } from "../../fencing/core/configuration.ts";
import { lookersAt, NO_FENCING, provenDevices } from "../../fencing/core/configuration.ts";
import type { DeviceReport, FencingAction } from "../../fencing/core/driver.ts";
import { stepFencer } from "../../fencing/core/fencer.ts";
import {
  createFencer,
  type FencerEffect,
  type FencerEvent,
  type FencerState,
  type FencingOrigin,
  type FencingRecord,
  wakeAtMs,
} from "../../fencing/core/fencer-state.ts";
import type { Proof, ProofReport } from "../../fencing/core/proofs.ts";
import { readFencingConfiguration } from "../../fencing/core/read-configuration.ts";
import { CATALOGUE } from "../../fencing/drivers/index.ts";
import type { ClusterSight } from "../../fencing/edge/open-device.ts";
import type { RecordFile } from "../../fencing/edge/record-file.ts";
import { createRunner } from "../../fencing/edge/runner.ts";
import type { Log } from "./log.ts";
import { createProofDesk } from "./proof-desk.ts";

export interface FencingDesk {
  /** Reads devices and topology anew. */
  readonly configure: (cib: XmlElement) => void;
  /** Resolves when the fencer has an outcome; only `confirmed` is a success. */
  readonly request: (
    target: string,
    action: FencingRequestAction,
    origin: FencingOrigin,
    how?: {
      readonly isTargetPreferred?: boolean;
      readonly onlyLevel?: number;
      readonly unfenceBy?: readonly string[];
      readonly isUndelayed?: true;
    },
  ) => Promise<FencingRecord>;
  /** The cluster wants the target fenced no more; what operators and DRBD want stands. */
  readonly withdraw: (target: string) => void;
  /** An operator's word; undefined when it was accepted, else why it was refused. */
  readonly confirm: (target: string, by: string, answersOn: readonly string[]) => string | undefined;
  /** Another node tells of a fencing that has just ended. */
  readonly heard: (record: FencingRecord) => void;
  /** Every device and witness by which the target is seen to live, now. */
  readonly seenAlive: (target: string) => Promise<readonly string[]>;
  /** Operations of resources of class `stonith`: a device is looked at, never used. */
  readonly operate: (run: OperationRun) => Promise<RunEnd>;
  readonly configuration: () => FencingConfiguration;
  readonly state: () => FencerState;
  readonly proofs: () => ProofReport;
  /** Looks at these devices now, or at all that this node may have to use. Resolves when all have answered. */
  readonly prove: (device?: string) => Promise<void>;
  readonly wakeAtMs: () => number | undefined;
  readonly tick: () => void;
  readonly close: () => void;
}

export interface DeskOptions {
  readonly self: string;
  readonly secretsFile: string;
  /** This machine's, as SMBIOS tells it; undefined where it tells none. */
  readonly ownUuid: string | undefined;
  /** What this manager knows of the others. */
  readonly sight: ClusterSight;
  /** The rounds that this node ran before its manager was started anew. */
  readonly history: readonly FencingRecord[];
  readonly proofFile: RecordFile<readonly Proof[]>;
  readonly nowMs: () => number;
  readonly log: Log;
  /** Off is proven, whoever had asked. */
  readonly onFenced: (record: FencingRecord) => void;
  readonly onRecord: (record: FencingRecord) => void;
  /** A proof was renewed, has failed or has ended. */
  readonly onProofs: () => void;
  /** Something changed: timers are to be set anew. */
  readonly onChange: () => void;
}

/** A person waits for the answer; a board that needs longer has no say. */
const LOOK_MS = 5_000;
const DEFINITION_ERROR = 6;
const GENERIC_ERROR = 1;
const NOT_RUNNING = 7;

function ended(code: number, exitReason = ""): RunEnd {
  return { outcome: { kind: "exit", code }, exitReason, output: "", attributes: [] };
}

/** The device as it reaches that target: by its outlet, its plug, its lock. */
const wayTo = ({ id, driver, parameters, perTarget }: FencingDevice, target: string) => ({
  id,
  driver,
  parameters: { ...parameters, ...entryOf(perTarget, target) },
});

export function createFencingDesk(options: DeskOptions): FencingDesk {
  const { self, secretsFile, ownUuid, sight, nowMs, log } = options;
  const runner = createRunner({ secretsFile, sight, ownUuid });
  const waiting = new Map<string, (record: FencingRecord) => void>();
  const running = new Map<number, AbortController>();
  let state = createFencer(self, NO_FENCING, options.history);
  /** Devices that the cluster has started here: the others are "not running" to a probe. */
  const started = new Set<string>();
  let nextRequest = 1;
  let refusal: string | undefined;

  const proofs = createProofDesk({
    file: options.proofFile,
    nowMs,
    log,
    look: (id) => void look(id),
    onChange: () => {
      options.onProofs();
      options.onChange();
    },
  });

  function note(id: string, action: FencingAction, { outcome }: DeviceReport): void {
    // A device that was asked to switch off and read on has answered: what it did is told by the certificate.
    const isWell = outcome.kind === "confirmed";
    proofs.note(id, action, isWell ? undefined : outcome.reason);
  }

  /** By every way that leads to a peer, its outlet or its lock: the first that fails is the device's answer. */
  async function lookAt(device: FencingDevice, timeoutMs: number): Promise<DeviceReport> {
    const { perTarget, targets = [] } = device;
    const ways = targets.filter((target) => target !== self && Object.hasOwn(perTarget, target));
    let last: DeviceReport | undefined;
    for (const target of ways) {
      last = await runner.run(wayTo(device, target), "status", timeoutMs);
      const { outcome } = last;
      if (outcome.kind === "confirmed") continue;
      const reason = ways.length === 1 ? outcome.reason : `for ${target}: ${outcome.reason}`;
      return { ...last, outcome: { ...outcome, reason } };
    }
    return last ?? (await runner.run(device, "status", timeoutMs));
  }

  async function look(id: string): Promise<void> {
    const device = state.configuration.devices.find((each) => each.id === id);
    if (device !== undefined) note(id, "status", await lookAt(device, device.timeoutMs.on));
  }

  const run = (effect: Extract<FencerEffect, { kind: "run-device" }>) => {
    const { attemptId, device, action, timeoutMs } = effect;
    const stopping = new AbortController();
    running.set(attemptId, stopping);
    void runner.run(device, action, timeoutMs, stopping.signal).then((report) => {
      running.delete(attemptId);
      // A device that we interrupt ourselves has proven nothing, and is none the worse.
      if (stopping.signal.aborted) return;
      note(device.id, action, report);
      step({ kind: "attempt-result", atWallMs: Date.now(), attemptId, report });
    });
  };

  const start = (effect: FencerEffect): void => {
    switch (effect.kind) {
      case "run-device":
        run(effect);
        break;
      case "stop-device":
        running.get(effect.attemptId)?.abort();
        break;
      case "answer":
        waiting.get(effect.requestId)?.(effect.record);
        waiting.delete(effect.requestId);
        break;
      case "fenced":
        options.onFenced(effect.record);
        break;
      case "record":
        options.onRecord(effect.record);
        break;
      case "ask-operator":
        // The fencer has logged what to do; the status says it for as long as it waits.
        break;
      case "confirmation-refused":
        refusal = effect.reason;
        log("error", `the confirmation that ${effect.target} is off is refused: ${effect.reason}`);
        break;
      case "log":
        log(effect.severity, effect.text);
        break;
      default:
        effect satisfies never;
    }
  };

  function step(event: FencerEvent): void {
    const stepped = stepFencer(state, event, nowMs());
    state = stepped.state;
    for (const effect of stepped.effects) start(effect);
    options.onChange();
  }

  return {
    configure(cib) {
      const { configuration, problems } = readFencingConfiguration(cib, CATALOGUE);
      if (JSON.stringify(configuration) === JSON.stringify(state.configuration)) return;
      for (const { severity, place, reason, remedy } of problems)
        log(severity, `fencing configuration, ${place}: ${reason}; ${remedy}`);
      step({ kind: "configure", atWallMs: Date.now(), configuration });
      const proven = provenDevices(configuration, self).map(({ id }) => id);
      proofs.configure(proven, configuration.proofTimes);
    },
    proofs: () => {
      const { times, proofs: dated } = proofs.state();
      return { times, proofs: dated };
    },
    async prove(id) {
      const devices = provenDevices(state.configuration, self).filter((device) => id === undefined || device.id === id);
      await Promise.all(devices.map((device) => look(device.id)));
    },
    request(target, action, origin, { isTargetPreferred = false, ...more } = {}) {
      const requestId = `${self}-${nextRequest}`;
      nextRequest += 1;
      return new Promise((resolve) => {
        waiting.set(requestId, resolve);
        const seed = randomInt(2 ** 31);
        const atWallMs = Date.now();
        step({ kind: "request", atWallMs, requestId, target, action, origin, seed, isTargetPreferred, ...more });
      });
    },
    confirm(target, by, answersOn) {
      refusal = undefined;
      step({ kind: "operator-confirmation", atWallMs: Date.now(), target, by, answersOn });
      return refusal;
    },
    heard({ target, node, by, outcome, devices }) {
      const isWord = outcome.kind === "confirmed" && devices.at(-1)?.driver === "meatware";
      const who = `${by.at(-1) ?? "somebody"} on ${node}`;
      if (isWord) step({ kind: "word-elsewhere", atWallMs: Date.now(), target, by: who });
    },
    async seenAlive(target) {
      const looks = lookersAt(state.configuration, target, self).map(async (device) => {
        const { outcome } = await runner.run(wayTo(device, target), "status", LOOK_MS);
        return outcome.kind === "confirmed" && outcome.power === "on" ? [`${device.id} reads that it is on`] : [];
      });
      return (await Promise.all(looks)).flat();
    },
    async operate({ instance, operation, intervalMs, timeoutMs }) {
      if (operation === "stop") started.delete(instance);
      if (operation === "stop") return ended(0);
      if (operation === "monitor" && intervalMs === 0 && !started.has(instance)) return ended(NOT_RUNNING);
      const device = state.configuration.devices.find(({ id }) => id === instance);
      if (device === undefined)
        return ended(DEFINITION_ERROR, "the fencing device is not complete: gemel verify -L tells what lacks");
      started.add(instance);
      if (device.isManual) return ended(0);
      // A board that is not asked until the emergency is no board: start and monitor log in and read the power.
      const report = await lookAt(device, timeoutMs);
      const { outcome } = report;
      note(device.id, "status", report);
      if (outcome.kind !== "confirmed" && operation === "start") started.delete(instance);
      return outcome.kind === "confirmed" ? ended(0) : ended(GENERIC_ERROR, outcome.reason);
    },
    withdraw: (target) => step({ kind: "withdraw", atWallMs: Date.now(), target }),
    configuration: () => state.configuration,
    state: () => state,
    wakeAtMs: () => {
      const wakes = [wakeAtMs(state), proofs.wakeAtMs()].filter((atMs) => atMs !== undefined);
      return wakes.length === 0 ? undefined : Math.min(...wakes);
    },
    tick() {
      step({ kind: "tick", atWallMs: Date.now() });
      proofs.tick();
    },
    close: () => runner.close(),
  };
}
