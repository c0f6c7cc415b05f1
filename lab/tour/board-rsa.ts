/**
 * An IBM RSA before the active node, on a telnet line of the host. The board is the emulator of the tests, which
 * fence_rsa drives; behind it is the lab's own power. cluster-glue's plugin took its error for a success, and the
 * service was started beside a node that ran on (reference stonith.md, section 5).
 */
import { startShellBoard } from "../../test/support/shell-board.ts";
import type { Lab } from "../lab.ts";
import { NODES, peerOf } from "../names.ts";
import { hasTakenOver, isHeld, loadCrm, makeWhole, type Scenario } from "./board-scenario.ts";

const SECRETS = "/data/gemel/secrets";

export const RSA_ERROR: Scenario = {
  title: "an IBM RSA answers an error: nothing is taken over",
  async play(lab: Lab) {
    const { machines } = lab.pair;
    const from = lab.active();
    const to = peerOf(from);
    const { [from]: struck } = machines;
    const rsa = await startShellBoard({
      dialect: "rsa",
      vice: "error",
      negotiates: true,
      machine: {
        power: () => (struck.isOn() ? "on" : "off"),
        set: (power) => void (power === "off" ? struck.powerCut() : struck.powerOn()),
      },
    });
    const before = await machines[to].must("crm configure show");
    try {
      for (const node of NODES) await machines[node].must(`echo 'rsa=adminpw' >>${SECRETS}`);
      await loadCrm(
        machines[to],
        "update",
        `primitive rsa stonith:rsa-telnet \\
    params host=10.0.2.2 port=${rsa.port} user=admin secret=rsa pcmk_host_list=${from} \\
    op monitor interval=60s timeout=30s
fencing_topology ${from}: rsa
`,
      );
      await lab.untilWhole();
      await struck.freeze();
      await isHeld(lab, to);
      rsa.vice = "none";
      await hasTakenOver(lab, to);
      if (!rsa.commands.includes("power off")) throw new Error("nobody has asked the RSA");
      await makeWhole(lab, from);
      await loadCrm(machines[to], "replace", before);
      for (const node of NODES) await machines[node].must(`sed -i '/^rsa=/d' ${SECRETS}`);
      await lab.untilWhole();
      return `${to} waited while the RSA of ${from} answered errors, and took over when it obeyed`;
    } finally {
      await rsa.close();
    }
  },
};
