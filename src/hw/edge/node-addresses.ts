/** Pings all addresses of a node side by side; each has several tries, and every answer counts. */
import { lookup } from "node:dns/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { type NodeAddress, type NodeAddresses, parseNodeAddress } from "../core/alive/addresses.ts";
import { parseAddress } from "../core/rtnetlink.ts";
import { type EchoTarget, pingAddresses } from "./icmp-echo.ts";

/** On a local network an answer takes a fraction of a millisecond. */
const TRY_MS = 300;
/** A resolver that is gone with the network must not keep the other addresses waiting. */
const RESOLVE_MS = 1_000;

/** All that a name stands for; empty: it cannot be resolved now. */
async function resolveName(name: string): Promise<readonly EchoTarget[]> {
  const found = lookup(name, { all: true }).catch(() => []);
  const inTime = await Promise.race([found, sleep(RESOLVE_MS, [], { ref: false })]);
  return inTime.flatMap(({ address }) => parseAddress(address) ?? []);
}

async function targetsOf(parsed: NodeAddress): Promise<readonly EchoTarget[]> {
  if (parsed.kind === "name") return await resolveName(parsed.name);
  const { address, zone } = parsed;
  return [zone === undefined ? address : { ...address, zone }];
}

/** `addresses`: as `parseNodeAddress` takes them; whoever configures them was told so. */
export function createNodeAddresses(addresses: readonly string[], tries: number): NodeAddresses {
  const parsed = addresses.flatMap((written) => {
    const address = parseNodeAddress(written);
    return address === undefined ? [] : [{ written, address }];
  });
  return {
    async answering() {
      const asked = await Promise.all(
        parsed.map(async ({ written, address }) => ({ written, targets: await targetsOf(address) })),
      );
      try {
        const order = { attempts: tries, timeoutMs: TRY_MS, signal: new AbortController().signal };
        const answered = await pingAddresses(
          asked.flatMap(({ targets }) => targets),
          order,
        );
        const alive = asked.filter(({ targets }) => targets.some((target) => answered.has(target)));
        const unknown = asked.filter(({ targets }) => targets.length === 0).map(({ written }) => written);
        if (alive.length > 0 || unknown.length === 0) return alive.map(({ written }) => written);
        return { reason: `${unknown.join(", ")} cannot be resolved, so it could not be pinged; write addresses` };
      } catch (error) {
        return { reason: `nobody could be pinged: ${error instanceof Error ? error.message : String(error)}` };
      }
    },
  };
}
