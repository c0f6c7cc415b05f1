/**
 * What the keeper says to its manager, and what that sets going. Its pings are answered from here, in the manager's own
 * loop, so that a manager that hangs is found.
 */
import { slowPeers } from "../../cluster/core/membership/datagrams.ts";
import type { ToManager } from "../keeper-pipe.ts";
import { complaintOf } from "./keeper-link.ts";
import { tellLossesOfLeaving } from "./loss-desk.ts";
import { feed, feedChannel, type Manager, scorePings } from "./manager.ts";
import { endQuestions } from "./questions.ts";

export function takeFrame(manager: Manager, frame: ToManager): void {
  switch (frame.kind) {
    case "start":
      break;
    case "ping": {
      const complaint = complaintOf(manager.files);
      manager.toKeeper({ kind: "pong", number: frame.number, ...(complaint === undefined ? {} : { complaint }) });
      break;
    }
    case "report":
      manager.keeper = frame.report;
      // Who leads may have changed since the last view.
      scorePings(manager);
      break;
    case "datagram":
      feedChannel(manager, { kind: "datagram", from: frame.from, bytes: frame.bytes });
      break;
    case "view": {
      const gone = manager.view?.members.filter((name) => !frame.view.members.includes(name)) ?? [];
      manager.view = frame.view;
      feedChannel(manager, { kind: "slow-peers", peers: slowPeers(frame.view) });
      if (gone.length > 0 || frame.view.members.length < 2) manager.rehearsal.putOff();
      else manager.rehearsal.changed();
      for (const peer of gone) {
        feedChannel(manager, { kind: "forget", peer });
        endQuestions(manager.asked, peer);
        manager.peerProofs.delete(peer);
        manager.peerAlerts.delete(peer);
      }
      feed(manager, { kind: "view", view: frame.view });
      manager.drbd.noteView();
      scorePings(manager);
      break;
    }
    case "stop":
      void tellLossesOfLeaving(manager);
      feed(manager, { ...frame, hasForerunner: manager.hasForerunner });
      break;
    default:
      frame satisfies never;
  }
}
