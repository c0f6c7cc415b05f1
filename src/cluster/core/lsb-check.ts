/**
 * The eight rules that an init script must keep before a cluster may trust it, and what each broken one would do.
 * Facts: LSB 5.0, "Init Script Actions"; Pacemaker Administration, "LSB Compliance";
 * the list of the Linux-HA documents (reference/crm-tools.md, section 6): 1 the three actions are there; start of what
 * is stopped: 2 answers 0 when it worked, 3 not 0 when it did not; stop of what runs: 4 and 5 likewise; 6 status of
 * what runs is 0, 7 of what is stopped 3; 8 stop of what is stopped is 0. What they leave out and a cluster needs as
 * much: a start of what runs already is 0.
 */
export interface LsbStep {
  /** More than one when a broken answer does not say which of them is broken. */
  readonly rules: readonly number[];
  /** An action that no script has shows whether it knows which ones it has. */
  readonly argument: "start" | "stop" | "status" | "no-such-action";
  /** In which state the script is called. */
  readonly when: "stopped" | "running";
  readonly allows: (code: number) => boolean;
  readonly expected: string;
  /** What a cluster would do with a script that breaks it. */
  readonly otherwise: string;
}

const isZero = (code: number) => code === 0;
/** 1 and 2: dead, with a pid or lock file left behind; 4 and above: nobody can tell. */
const isStopped = (code: number) => code >= 1 && code <= 3;

const AGAIN = "a start of what runs already would count as failed";
const FENCED = "and the node would be fenced";

/**
 * In the order of trying; each step leaves the state in which the next one is called. Whether a start or a stop that
 * fails says so (rules 3 and 5) is tried by asking `status` behind it: who says 0 and has done nothing breaks them.
 */
export const LSB_STEPS: readonly LsbStep[] = [
  {
    rules: [1],
    argument: "no-such-action",
    when: "stopped",
    allows: (code) => code !== 0,
    expected: "2 or 3",
    otherwise: "an action that the script lacks would count as done",
  },
  {
    rules: [8],
    argument: "stop",
    when: "stopped",
    allows: isZero,
    expected: "0",
    otherwise: `a stop of what is stopped already would count as failed, ${FENCED}`,
  },
  {
    rules: [7],
    argument: "status",
    when: "stopped",
    allows: isStopped,
    expected: "3",
    otherwise: "a stopped service would be taken for running, or for broken, on every node",
  },
  {
    rules: [2],
    argument: "start",
    when: "stopped",
    allows: isZero,
    expected: "0",
    otherwise: "a start that worked would count as failed",
  },
  {
    rules: [6, 3],
    argument: "status",
    when: "running",
    allows: isZero,
    expected: "0",
    otherwise: "the start has said 0 and started nothing, or a running service would be started anew, again and again",
  },
  { rules: [2], argument: "start", when: "running", allows: isZero, expected: "0", otherwise: AGAIN },
  {
    rules: [6],
    argument: "status",
    when: "running",
    allows: isZero,
    expected: "0",
    otherwise: "a second start would have ended the service",
  },
  {
    rules: [4],
    argument: "stop",
    when: "running",
    allows: isZero,
    expected: "0",
    otherwise: `a stop that worked would count as failed, ${FENCED}`,
  },
  {
    rules: [7, 5],
    argument: "status",
    when: "stopped",
    allows: isStopped,
    expected: "3",
    otherwise: "the stop has said 0 and stopped nothing: two nodes would run the service",
  },
];

export interface LsbFinding {
  readonly step: LsbStep;
  /** undefined: it did not end in time. */
  readonly code: number | undefined;
}

/** By these codes a script says that it has no such action (2 wrong argument, 3 not there). */
const MISSING_ACTION = [2, 3];

/** Rule 1 is broken too by a start or stop that says that it is not there. */
export function rulesOf({ step, code }: LsbFinding): readonly number[] {
  const isMissing = step.argument !== "status" && step.argument !== "no-such-action";
  return isMissing && code !== undefined && MISSING_ACTION.includes(code) ? [1] : step.rules;
}

export const isKept = ({ step, code }: LsbFinding): boolean => code !== undefined && step.allows(code);

/** One line for a terminal. */
export function formatFinding(finding: LsbFinding): string {
  const { step, code } = finding;
  const call = `${step.argument} when ${step.when}`.padEnd(27);
  const answer = code === undefined ? "did not end" : `${code}`;
  const rules = `rule ${rulesOf(finding).join(" or ")}`.padEnd(11);
  if (isKept(finding)) return `ok      ${rules} ${call} ${answer}`;
  return `BROKEN  ${rules} ${call} ${answer}, should be ${step.expected}: ${step.otherwise}`;
}
