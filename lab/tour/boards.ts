/**
 * What becomes of a takeover when boards fail: one scenario after another, each ending with a whole pair. A board that
 * cannot be believed holds the takeover, loudly, until it can, or until a person has looked; a board that is only slow
 * or dull delays it.
 */
import type { Lab } from "../lab.ts";
import { peerOf, type Vice } from "../names.ts";
import { RSA_ERROR } from "./board-rsa.ts";
import { hasTakenOver, isHeld, loadCrm, makeWhole, type Scenario, SHARED_DISK } from "./board-scenario.ts";
import { NO_BOARD } from "./board-watchdog.ts";
import { verifyNow, writersVerdict, writeSome } from "./demo.ts";
import { clockAheadMs, confirmedOff, takeOver } from "./takeover.ts";

const RECORDS_BEFORE = 10;
/** The active node hangs behind a board with this vice: held until the board obeys again. */
function heldBy(vice: Vice, title: string): Scenario {
  return {
    title,
    async play(lab) {
      const from = lab.active();
      const to = peerOf(from);
      const { [from]: struck } = lab.pair.machines;
      struck.power.setVice(vice);
      try {
        await struck.freeze();
        await isHeld(lab, to);
      } finally {
        struck.power.setVice("none");
      }
      await hasTakenOver(lab, to);
      await makeWhole(lab, from);
      return `${to} waited while the board of ${from} was ${vice}, and took over when it obeyed`;
    },
  };
}

/** The active node hangs behind a board that takes its time: delayed, and only after the power has really gone. */
function delayedBy(vice: Vice, title: string): Scenario {
  return {
    title,
    async play(lab) {
      const { [lab.active()]: struck } = lab.pair.machines;
      struck.power.setVice(vice);
      try {
        const { from, to, fencing, outageMs } = await takeOver(lab, title, (machine) => machine.freeze());
        if (fencing === undefined) throw new Error(`${to} took over without a confirmed fencing`);
        if (struck.isOn()) throw new Error(`${to} took over while ${from} had power`);
        struck.power.setVice("none");
        await makeWhole(lab, from);
        return `${to} took over after ${(outageMs / 1000).toFixed(1)} s: ${fencing.evidence}`;
      } finally {
        struck.power.setVice("none");
      }
    },
  };
}

const STANDBY_BOARD_DEAD: Scenario = {
  title: "the board of the standby is dead, and the active node loses its power",
  async play(lab) {
    const { machines } = lab.pair;
    const standby = peerOf(lab.active());
    machines[standby].bmc.freeze();
    try {
      const { from, to, fencing } = await takeOver(lab, "power cut", (machine) => machine.powerCut());
      if (fencing === undefined) throw new Error(`${to} took over without a confirmed fencing`);
      await makeWhole(lab, from);
      return `${to} took over all the same: the board of ${from} has proven its end`;
    } finally {
      machines[standby].bmc.thaw();
    }
  },
};

const BOTH_BOARDS_DEAD: Scenario = {
  title: "the board dies with its host: held until a person has looked and says so",
  async play(lab) {
    const { machines } = lab.pair;
    const from = lab.active();
    const to = peerOf(from);
    const sinceWallMs = Date.now() + (await clockAheadMs(machines[to]));
    for (const node of [from, to]) machines[node].bmc.freeze();
    try {
      await machines[from].powerCut();
      await isHeld(lab, to);
      lab.say(await machines[to].must(`gemel fence confirm ${from} --yes ${from}`));
      await hasTakenOver(lab, to);
    } finally {
      for (const node of [from, to]) machines[node].bmc.thaw();
    }
    const status = lab.watcher.status(to);
    const record = status === undefined ? undefined : confirmedOff(status, from, sinceWallMs);
    if (record === undefined) throw new Error("the confirmation is not in the history");
    await makeWhole(lab, from);
    return `${to} took over on the word of a person: ${record.evidence}`;
  },
};

/** What the pair gets for the scenario below: a lock that the service holds, and its silence as a second level. */
const LOCK_AS_PROOF = `\
primitive lock ocf:gemel:sfex params device=${SHARED_DISK} lock_timeout=60 \\
    op start timeout=120s interval=0 op monitor interval=10s timeout=30s
group service lock filesystem address records
primitive proof stonith:sfex params resource=lock confirm_time=150s pcmk_host_list="alpha bravo"
fencing_topology alpha: fence-alpha proof bravo: fence-bravo proof
`;

const BOARD_DIES_WITH_HOST: Scenario = {
  title: "the board dies with its host, and a lock on the shared disk stands still",
  async play(lab) {
    const { machines } = lab.pair;
    const from = lab.active();
    const before = await machines[from].must("crm configure show");
    await machines[from].must(`gemel fence lock create ${SHARED_DISK} --yes ${SHARED_DISK}`);
    await loadCrm(machines[from], "update", LOCK_AS_PROOF);
    const holds = () =>
      lab.watcher.status(from)?.resources.some(({ id, active }) => id === "lock" && active.length > 0);
    await lab.until("the lock is held", () => holds() === true);
    await lab.untilWhole();
    machines[from].bmc.freeze();
    try {
      const { to, fencing, outageMs } = await takeOver(lab, "power and board are lost", (machine) =>
        machine.powerCut(),
      );
      if (fencing === undefined) throw new Error(`${to} took over without a confirmed fencing`);
      machines[from].bmc.thaw();
      await makeWhole(lab, from);
      await loadCrm(machines[to], "replace", before);
      await lab.untilWhole();
      return `${to} took over after ${(outageMs / 1000).toFixed(1)} s: ${fencing.evidence}`;
    } finally {
      machines[from].bmc.thaw();
    }
  },
};

/** No software can see this one; what must hold is that the machine, once it goes on, never writes again. */
const LYING: Scenario = {
  title: "the board says off while its machine only hangs: the machine goes on and must not write",
  async play(lab) {
    const { [lab.active()]: struck } = lab.pair.machines;
    struck.power.setVice("lying");
    try {
      const { from, to } = await takeOver(lab, "freeze behind a lying board", (machine) => machine.freeze());
      await struck.thaw();
      lab.say(`${from} goes on, with ${to} active`);
      struck.power.setVice("none");
      await lab.untilWhole();
      if (lab.active() !== to) throw new Error(`${from} has taken the service back`);
      return `${from} ended itself at once and came back as the standby of ${to}`;
    } finally {
      struck.power.setVice("none");
    }
  },
};

const SCENARIOS: readonly Scenario[] = [
  STANDBY_BOARD_DEAD,
  BOTH_BOARDS_DEAD,
  heldBy("stuck", "the board says that it has switched off, and the machine stays on"),
  heldBy("refusing", "the board answers an error"),
  delayedBy("slow", "the board obeys 8 s late"),
  delayedBy("dull", "each answer of the board takes 2 s"),
  BOARD_DIES_WITH_HOST,
  LYING,
  NO_BOARD,
  RSA_ERROR,
];

/**
 * Plays all, or those with these numbers. Exit code 0 only when each came out as it must, no record is lost, and never
 * were there two writers.
 */
export async function runBoards(lab: Lab, only: readonly number[] | undefined): Promise<number> {
  if (only?.some((number) => SCENARIOS[number - 1] === undefined) === true) {
    lab.say(`boards: there are scenarios 1 to ${SCENARIOS.length}`);
    return 64;
  }
  const failed: string[] = [];
  for (const [index, { title, play }] of SCENARIOS.entries()) {
    if (only?.includes(index + 1) === false) continue;
    lab.say(`${index + 1} of ${SCENARIOS.length}: ${title}`);
    await writeSome(lab, RECORDS_BEFORE);
    try {
      lab.say(`   ${await play(lab)}`);
    } catch (error) {
      lab.say(`   FAILED: ${error instanceof Error ? error.message : String(error)}`);
      failed.push(title);
      break;
    }
    if (!(await verifyNow(lab))) failed.push(`${title}: records are lost`);
  }
  lab.client.stopWriting();
  const alone = writersVerdict(lab);
  const passed = failed.length === 0 && alone;
  lab.say(passed ? "boards: passed" : "boards: FAILED");
  return passed ? 0 : 1;
}
