/** The last node that serves is not stood by, or shut down, without a word of what that takes down. */
import process from "node:process";
import { afterEach, expect, test } from "vitest";
import { askControl, controlSocketPath } from "../../src/app/control-client.ts";
import { skips } from "../support/skip.ts";
import { type NodePair, openNodePair } from "./node-pair.ts";

const isRoot = process.getuid?.() === 0;

const CONFIGURATION = `primitive web ocf:gemel:Dummy
primitive every ocf:gemel:Dummy
clone everywhere every
property no-quorum-policy=ignore stonith-enabled=false startup-fencing=false
`;
const STOPS = "stops every, web: no other node may run them now";

let open: NodePair | undefined;
afterEach(async () => {
  await open?.close();
  open = undefined;
});

test.skipIf(skips(!isRoot, "not root"))(
  "standby and shutdown of the last node say what they stop",
  async () => {
    const pair = openNodePair({
      times: ["keepalive 200ms", "deadtime 4s", "initdead 4s"],
      configuration: CONFIGURATION,
    });
    open = pair;
    pair.start("alpha");
    const runs = async () => {
      const status = await pair.status("alpha");
      return status?.resources.length === 2 && status.resources.every(({ active }) => active.length === 1);
    };
    await pair.until("alpha serves", runs);
    const ask = (value: string | undefined, lifetime: "reboot" | "forever") =>
      askControl(controlSocketPath(pair.runDirectory("alpha")), {
        kind: "attribute",
        node: "alpha",
        name: "standby",
        lifetime,
        ...(value === undefined ? {} : { value }),
      });
    for (const lifetime of ["reboot", "forever"] as const) {
      const cautions = [{ severity: "warning", reason: `standby of alpha ${STOPS}` }];
      expect(await ask("on", lifetime)).toMatchObject({ kind: "answer", cautions });
      expect(await ask(undefined, lifetime)).not.toHaveProperty("cautions");
      await pair.until("alpha serves again", runs);
    }
    pair.signal("alpha", "SIGTERM");
    await pair.ended("alpha");
    expect(pair.log("alpha")).toContain(`WARNING: the shutdown of alpha ${STOPS}`);
  },
  120_000,
);
