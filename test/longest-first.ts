/**
 * The order of the test files: those that play whole stories on real processes come first, for a long file that starts
 * last is waited for with idle hands. Vitest knows how long a file took only from runs on the same machine; a fresh
 * clone goes by the size of the files, and the longest stories stand in short ones. The list need not be complete.
 */
import path from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The longest first. */
const LONG = [
  "test/fencing/pair.test.ts",
  "test/app/configuration.test.ts",
  "test/app/cts.test.ts",
  "test/app/watchdog-cluster.test.ts",
  "test/app/pair.test.ts",
  "test/fencing/pair-lock.test.ts",
  "test/fencing/snmp-pdu.test.ts",
  "test/fencing/telnet-boards.test.ts",
  "test/app/config-history.test.ts",
  "test/fencing/runner.test.ts",
  "test/app/fence-race.test.ts",
  "test/cluster/edge/field-agents.test.ts",
  "test/app/agent-tools.test.ts",
  "test/fencing/race.test.ts",
  "test/fencing/redfish.test.ts",
  "test/app/black-box.test.ts",
  "test/cluster/edge/systemd-units.test.ts",
  "test/app/keeper-links.test.ts",
  "test/app/keeper.test.ts",
  "test/app/advice.test.ts",
  "test/fencing/ssh-boards.test.ts",
  "test/fencing/libvirt.test.ts",
  "test/sim/broken-rules.test.ts",
  "test/sim/seeds.test.ts",
  "test/sim/scenarios.test.ts",
  "test/app/commands/field-bulk.test.ts",
  "test/fencing/sbd.test.ts",
  "test/app/binary.test.ts",
  "test/app/watchdog-fencing.test.ts",
  "test/app/fencing-disk.test.ts",
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const root = this.ctx.config.root;
    const rank = ({ moduleId }: TestSpecification) => LONG.indexOf(path.relative(root, moduleId)) + 1 || Infinity;
    const usual = await super.sort(files);
    return usual.toSorted((left, right) => (rank(left) === rank(right) ? 0 : rank(left) - rank(right)));
  }
}
