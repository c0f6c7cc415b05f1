/**
 * What a node's own service says, asked through its control socket (docs/protocols/control-socket.md) by the lab
 * agent: the guest starts no program for it, which would cost its processor more than the answer.
 */
import type { StatusReport } from "../../src/app/control-protocol.ts";
import type { Machine } from "../machine/machine.ts";

const ANSWER_MAX_MS = 10_000;
const SOCKET = "/run/gemel/control.sock";

export const statusScript = (file: string): string => String.raw`#!perl
local $SIG{ALRM} = sub { die "no answer\n" };
alarm 8;
socket(my $to, Socket::AF_UNIX(), Socket::SOCK_STREAM(), 0) or die "$!\n";
connect($to, Socket::pack_sockaddr_un('${file}')) or die "$!\n";
syswrite($to, '{"v":1,"id":1,"request":{"kind":"status"}}' . "\n");
scalar(<$to>);
`;

/** Undefined when the service does not answer; the report is taken as the protocol describes it. */
export async function askStatus(machine: Machine): Promise<StatusReport | undefined> {
  const answer = await machine.run(statusScript(SOCKET), ANSWER_MAX_MS);
  if (answer === undefined || answer.exitCode !== 0) return undefined;
  try {
    const line: { readonly kind?: string; readonly value?: StatusReport } = JSON.parse(answer.output);
    return line.kind === "answer" ? line.value : undefined;
  } catch {
    return undefined;
  }
}
