/**
 * Which fencings nobody had a reason for. A node that starts may be fenced by those that cannot know yet that it lives;
 * one that a cluster knew to live, in a round in which nothing was broken, may not. Judged from the nodes' own logs:
 * from what each manager knew when it asked for the fencing, not from what ran when the board obeyed.
 */
const LINE = /^(?:<\d>)?(\S+Z) (.*)$/;
const FENCING = /^WARNING: fencing of (\S+) \(\w+\): (.*)$/;
const MEMBERS = /^INFO: members: (.*)$/;
const KEEPER = /^keeper \S+: (?:(start) \d+ of node|peer-(left|lost|joined): (\w+)|(fencing) of (\w+) is confirmed)/;
/** A life begins, or has ended in order. */
const LIFE = /^keeper \S+: (?:start \d+ of node|gone: )/;
const DC = /^INFO: (\S+) is the DC$/;

type Line = readonly [at: string, text: string];

function linesOf(log: string): readonly Line[] {
  return log.split("\n").flatMap((line): Line[] => {
    const [, at, text] = LINE.exec(line) ?? [];
    return at === undefined || text === undefined ? [] : [[at, text]];
  });
}

/** Whether that node followed another one as its DC at that time, in the life that it had then. */
function hadJoined(node: string, lines: readonly Line[], atTime: string): boolean {
  let isFollowing = false;
  for (const [at, text] of lines) {
    if (at >= atTime) break;
    if (LIFE.test(text)) isFollowing = false;
    const dc = DC.exec(text)?.[1];
    if (dc !== undefined) isFollowing = dc !== node;
  }
  return isFollowing;
}

/** The fencings that a manager has asked for, and whether it had seen the node as a member that has not left since. */
function fencingsOf(lines: readonly Line[]) {
  const known = new Set<string>();
  const gone = new Set<string>();
  return lines.flatMap(([at, text]) => {
    const [, start, word, peer, fencing, fenced] = KEEPER.exec(text) ?? [];
    if (start !== undefined) known.clear();
    if (word === "lost" && peer !== undefined) known.add(peer);
    if (word === "left" && peer !== undefined) gone.add(peer);
    if (word === "joined" && peer !== undefined) gone.delete(peer);
    if (fencing !== undefined && fenced !== undefined) gone.add(fenced);
    const members = MEMBERS.exec(text)?.[1]?.split(", ");
    // The keeper has said it first; the manager may still print what it knew before.
    if (members !== undefined) for (const node of gone) if (!members.includes(node)) known.delete(node);
    for (const node of members ?? []) known.add(node);
    const [, target, reason] = FENCING.exec(text) ?? [];
    return target === undefined ? [] : [{ at, target, reason, wasKnown: known.has(target) }];
  });
}

/** `from`: how much of each log is from before the round. */
export function unjustFencings(
  logs: ReadonlyMap<string, string>,
  from: ReadonlyMap<string, number>,
): readonly string[] {
  const lines = new Map([...logs].map(([node, log]) => [node, linesOf(log)] as const));
  return [...logs].flatMap(([node, log]) => {
    const before = linesOf(log.slice(0, from.get(node) ?? 0)).length;
    const begunAt = lines.get(node)?.[before]?.[0] ?? "~";
    return fencingsOf(lines.get(node) ?? [])
      .filter(({ at }) => at >= begunAt)
      .filter(({ at, target, wasKnown }) => wasKnown || hadJoined(target, lines.get(target) ?? [], at))
      .map(({ target, reason }) => `${node} had ${target} fenced in a round without a fault: ${reason}`);
  });
}
