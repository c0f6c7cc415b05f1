/** One board or outlet that is configured for two nodes: the one mistake that makes a proof of death a lie. */
import { entryOf } from "../../base/record.ts";
import type { FencingDevice } from "./configuration.ts";
import { type Complain, wordsOf } from "./values.ts";

/** One node's power as one device reaches it: a board, or outlets of it. */
interface Feed {
  readonly target: string;
  readonly board: string;
  readonly outlets: readonly string[];
}

function feedsOf({ targets = [], parameters, perTarget }: FencingDevice): readonly Feed[] {
  return targets.flatMap((target) => {
    const own = { ...parameters, ...entryOf(perTarget, target) };
    const host = own["host"] ?? own["ip"] ?? own["ipaddr"];
    if (host === undefined) return [];
    const board = [host, own["port"], own["module"], own["system_uuid"]].join(" ");
    return [{ target, board, outlets: wordsOf(own["outlets"] ?? own["plug"]) }];
  });
}

function isShared(left: Feed, right: Feed): boolean {
  if (left.target === right.target || left.board !== right.board) return false;
  const hasNone = left.outlets.length === 0 || right.outlets.length === 0;
  return hasNone || left.outlets.some((outlet) => right.outlets.includes(outlet));
}

/**
 * Two nodes behind one board or outlet: to kill one would kill the other, or take it for dead. None of them is used.
 */
export function withoutSharedBoards(devices: readonly FencingDevice[], complain: Complain): readonly FencingDevice[] {
  return devices.filter((device) => {
    const own = feedsOf(device);
    const other = devices.find((each) => feedsOf(each).some((feed) => own.some((mine) => isShared(mine, feed))));
    if (other === undefined) return true;
    const words =
      other === device
        ? "it has one outlet for two nodes"
        : `it reaches the same board or outlet as ${other.id}, which is there for another node`;
    complain(`primitive ${device.id}`, words, "give each node the board, or the outlets, that feed it and nobody else");
    return false;
  });
}
