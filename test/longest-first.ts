/**
 * The order of the test files: those that play whole stories on real processes come first, for a long file that starts
 * last is waited for with idle hands. Vitest knows how long a file took only from runs on the same machine; a fresh
 * clone goes by the size of the files, and the longest stories stand in short ones. The list need not be complete.
 */
import path from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const LONG = [
  "test/fencing/pair.test.ts",
  "test/app/watchdog-cluster.test.ts",
  "test/fencing/pair-lock.test.ts",
  "test/fencing/telnet-boards.test.ts",
  "test/app/cts.test.ts",
  "test/fencing/snmp-pdu.test.ts",
  "test/app/fence-race.test.ts",
  "test/fencing/race.test.ts",
  "test/cluster/edge/systemd-units.test.ts",
  "test/fencing/libvirt.test.ts",
  "test/app/config-history.test.ts",
  "test/app/agent-tools.test.ts",
  "test/app/advice.test.ts",
  "test/sim/broken-rules.test.ts",
  "test/sim/seeds.test.ts",
  "test/app/fencing-disk.test.ts",
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const root = this.ctx.config.root;
    const isLong = ({ moduleId }: TestSpecification) => LONG.includes(path.relative(root, moduleId));
    const usual = await super.sort(files);
    return [...usual.filter(isLong), ...usual.filter((file) => !isLong(file))];
  }
}
