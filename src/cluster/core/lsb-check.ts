/**
 * The eight rules that an init script must keep before a cluster may trust it, and what each broken one would do.
 * Facts: LSB 5.0, "Init Script Actions"; the list of the Linux-HA documents (reference/crm-tools.md, section 6).
 */
export interface LsbStep {
  readonly rule: number;
  readonly argument: "start" | "stop" | "status";
  /** In which state the script is called. */
  readonly when: "stopped" | "running";
  readonly allows: (code: number) => boolean;
  readonly expected: string;
  /** What a cluster would do with a script that breaks it. */
  readonly otherwise: string;
}

const isZero = (code: number) => code === 0;

/** In the order of trying; each step leaves the state in which the next one is called. Rules 3 and 5 need a fault. */
export const LSB_STEPS: readonly LsbStep[] = [
  {
    rule: 8,
    argument: "stop",
    when: "stopped",
    allows: isZero,
    expected: "0",
    otherwise: "a stop of what is stopped already would count as failed, and the node would be fenced",
  },
  {
    rule: 7,
    argument: "status",
    when: "stopped",
    allows: (code) => code !== 0 && code !== 4,
    expected: "3",
    otherwise: "a stopped service would be taken for running on every node",
  },
  {
    rule: 2,
    argument: "start",
    when: "stopped",
    allows: isZero,
    expected: "0",
    otherwise: "a start that worked would count as failed",
  },
  {
    rule: 6,
    argument: "status",
    when: "running",
    allows: isZero,
    expected: "0",
    otherwise: "a running service would be started anew, again and again",
  },
  {
    rule: 1,
    argument: "start",
    when: "running",
    allows: isZero,
    expected: "0",
    otherwise: "a start of what runs already would count as failed",
  },
  {
    rule: 6,
    argument: "status",
    when: "running",
    allows: isZero,
    expected: "0",
    otherwise: "a second start would have ended the service",
  },
  {
    rule: 4,
    argument: "stop",
    when: "running",
    allows: isZero,
    expected: "0",
    otherwise: "a stop that worked would count as failed, and the node would be fenced",
  },
  {
    rule: 7,
    argument: "status",
    when: "stopped",
    allows: (code) => code !== 0 && code !== 4,
    expected: "3",
    otherwise: "a stop would be believed that has not stopped anything",
  },
];

export interface LsbFinding {
  readonly step: LsbStep;
  /** undefined: it did not end in time. */
  readonly code: number | undefined;
}

export const isKept = ({ step, code }: LsbFinding): boolean => code !== undefined && step.allows(code);

/** One line for a terminal. */
export function formatFinding(finding: LsbFinding): string {
  const { step, code } = finding;
  const call = `${step.argument} when ${step.when}`.padEnd(20);
  const answer = code === undefined ? "did not end" : `${code}`;
  if (isKept(finding)) return `ok      rule ${step.rule}  ${call} ${answer}`;
  return `BROKEN  rule ${step.rule}  ${call} ${answer}, should be ${step.expected}: ${step.otherwise}`;
}
