/**
 * What a node's own service says, asked through its control socket (docs/protocols/control-socket.md) by a line of
 * perl: the guest starts that in a twentieth of the time which `gemel status --json` takes under emulation.
 */
import type { StatusReport } from "../../src/app/control-protocol.ts";
import type { Machine } from "../machine/machine.ts";

const ANSWER_MAX_MS = 10_000;
const SCRIPT = `perl -MIO::Socket::UNIX -e '
alarm 8;
my $s = IO::Socket::UNIX->new(Peer => "/run/gemel/control.sock") or exit 1;
print $s "{\\"v\\":1,\\"id\\":1,\\"request\\":{\\"kind\\":\\"status\\"}}\\n";
print scalar(<$s>);'`;

/** Undefined when the service does not answer; the report is taken as the protocol describes it. */
export async function askStatus(machine: Machine): Promise<StatusReport | undefined> {
  const answer = await machine.run(SCRIPT, ANSWER_MAX_MS);
  if (answer === undefined || answer.exitCode !== 0) return undefined;
  try {
    const line: { readonly kind?: string; readonly value?: StatusReport } = JSON.parse(answer.output);
    return line.kind === "answer" ? line.value : undefined;
  } catch {
    return undefined;
  }
}
