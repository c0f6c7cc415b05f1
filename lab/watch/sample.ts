/**
 * What the lab sees of a node, asked over its own line: DRBD's role as the kernel tells it, addresses, mounts.
 * The asking is cheap (the guest starts no program for it), so that it goes on through every fault.
 */
import { VIRTUAL_ADDRESS } from "../addresses.ts";
import type { Machine } from "../machine/machine.ts";
import type { NodeName } from "../names.ts";

export interface Seen {
  /** DRBD's words: Primary, Secondary, Unknown; undefined while the resource is not up. */
  readonly drbdRole?: string;
  readonly connection?: string;
  readonly disk?: string;
  readonly peerDisk?: string;
  /** DRBD has stopped the I/O until the peer is proven to be off. */
  readonly isSuspended: boolean;
  readonly hasVirtualAddress: boolean;
  readonly isMounted: boolean;
}

export interface Sample {
  readonly node: NodeName;
  /** Between these two instants of the lab's monotonic clock the node was as `seen`. */
  readonly askedAtMs: number;
  readonly answeredAtMs: number;
  readonly power: "on" | "off" | "frozen";
  /** Undefined when it gave no answer. */
  readonly seen?: Seen;
}

const ANSWER_MAX_MS = 5_000;
/** Run by the lab agent itself: a shell with its tools cost the pair more than all that it is there to do. */
export const SAMPLE_SCRIPT = String.raw`#!perl at once
my $whole = sub { open(my $file, '<', $_[0]) or return ''; local $/; return <$file> // ''; };
my $has = $whole->('/proc/net/fib_trie') =~ m,-- \Q${VIRTUAL_ADDRESS}\E\n\s+/32 host LOCAL,;
my @mounts = grep { m, /srv/records , } split /^/, $whole->('/proc/mounts');
join '', $whole->('/proc/drbd'), $has ? "local ${VIRTUAL_ADDRESS}\n" : '', @mounts;
`;

/** Reads the answer of SAMPLE_SCRIPT. Fact: DRBD 8.4 User's Guide, "Information in /proc/drbd". */
export function readSeen(output: string): Seen {
  const state = /^\s*0: cs:(\S+) ro:([^/\s]+)\/\S+ ds:([^/\s]+)\/(\S+) \S (\S+)/m.exec(output);
  const [, connection, drbdRole, disk, peerDisk, flags = ""] = state ?? [];
  return {
    ...(drbdRole === undefined ? {} : { drbdRole }),
    ...(connection === undefined ? {} : { connection }),
    ...(disk === undefined ? {} : { disk }),
    ...(peerDisk === undefined ? {} : { peerDisk }),
    isSuspended: flags.startsWith("s"),
    hasVirtualAddress: output.includes(`local ${VIRTUAL_ADDRESS}\n`),
    isMounted: output.includes(" /srv/records "),
  };
}

export async function sampleNode(machine: Machine): Promise<Sample> {
  const askedAtMs = performance.now();
  const { node } = machine;
  if (!machine.isOn()) return { node, askedAtMs, answeredAtMs: performance.now(), power: "off" };
  const answer = machine.isFrozen() ? undefined : await machine.run(SAMPLE_SCRIPT, ANSWER_MAX_MS);
  const answeredAtMs = performance.now();
  const power = !machine.isOn() ? "off" : machine.isFrozen() ? "frozen" : "on";
  if (answer === undefined || answer.exitCode !== 0) return { node, askedAtMs, answeredAtMs, power };
  return { node, askedAtMs, answeredAtMs, power, seen: readSeen(answer.output) };
}
