/** Echo requests to addresses of both families, in a namespace of its own. Needs root. */
import process from "node:process";
import { expect, test } from "vitest";
import { openPinger } from "../../../src/hw/edge/pinger.ts";
import { inNetworkNamespace } from "../../support/network-namespace.ts";
import { skips } from "../../support/skip.ts";

test.skipIf(skips(process.getuid?.() !== 0, "it needs root for its network namespaces"))(
  "whoever answers is named as it was written, and nobody else",
  async () => {
    await inNetworkNamespace(async () => {
      const heard: string[] = [];
      const written = ["198.18.7.1", "198.18.7.2", "fd77:7::1", "fd77:7:0::99"];
      const pinger = openPinger(written, (address) => heard.push(address));
      try {
        pinger.send();
        await expect.poll(() => heard.length).toBe(2);
        pinger.send();
        await expect.poll(() => heard.length).toBe(4);
        expect(new Set(heard)).toEqual(new Set(["198.18.7.1", "fd77:7::1"]));
      } finally {
        pinger.close();
      }
    });
  },
);
