/** Pings all addresses of a node side by side; each has several tries, and every answer counts. */
import type { NodeAddresses } from "../core/alive/addresses.ts";
import { formatAddress, parseAddress } from "../core/rtnetlink.ts";
import { pingAddresses } from "./icmp-echo.ts";

/** On a local network an answer takes a fraction of a millisecond. */
const TRY_MS = 300;

/** `addresses`: literal ones; whoever configures them was told so. */
export function createNodeAddresses(addresses: readonly string[], tries: number): NodeAddresses {
  const parsed = addresses.flatMap((written) => parseAddress(written) ?? []);
  return {
    async answering() {
      try {
        const order = { attempts: tries, timeoutMs: TRY_MS, signal: new AbortController().signal };
        const answered = await pingAddresses(parsed, order);
        return parsed.map(formatAddress).filter((address) => answered.has(address));
      } catch (error) {
        return { reason: `nobody could be pinged: ${error instanceof Error ? error.message : String(error)}` };
      }
    },
  };
}
