/** Advice in English. */
import { entryOf } from "../../../base/record.ts";
import type { Texts, Values } from "./texts.ts";

const HINTS: Readonly<Record<string, string>> = {
  database: "load (batch, virus scan), max_connections, pg_hba.conf, files deleted below /tmp, owner of the log file",
  storage: "multipathd or iSCSI not started, cables, a full fsck at mount, who else holds the mount",
  web: "index page missing or without the string that is looked for, server-status, owner of the log file",
  general: "load (batch, virus scan), files deleted below /tmp, the agent's own log",
};
const hintOf = (hint: string) => entryOf(HINTS, hint) ?? "";
const then = (command: string) => (command === "" ? "" : `; then: ${command}`);

const drbd = ({ resource, role, disk, connection, frozen, behind }: Values) =>
  `DRBD ${resource}: ${role}, disk ${disk}, ${connection}` +
  `${behind === "0" ? "" : `, ${behind} KiB out of sync`}${frozen === "" ? "" : ", I/O is frozen"}`;

export const ENGLISH: Texts = {
  "failed-over": ({ node, survivor, resources, why }) => ({
    what: `services run on ${survivor} (${resources}); ${node} cannot take them: ${why}`,
    doNow: "keep the evidence first: gemel report; then the lines about this node",
  }),
  "node-without-power": ({ node, at, evidence, by }) => ({
    what: `${node} has no power: switched off by ${by} at ${at} (${evidence})`,
    doNow: `keep the logs (gemel report); check cables and disks; then: gemel fence on ${node}`,
  }),
  "service-not-running": ({ node, how, at = "", evidence = "" }) => ({
    what:
      how === "left"
        ? `gemel is stopped on ${node}: it said goodbye`
        : how === "rebooting"
          ? `${node} was restarted by fencing at ${at} and is not back yet (${evidence})`
          : `${node} was restarted by fencing at ${at} (${evidence}) and gemel does not run there`,
    doNow:
      how === "rebooting"
        ? "wait; it may need minutes to boot"
        : `on ${node}: look at the log (gemel log), keep it (gemel report), then: systemctl start gemel`,
  }),
  "node-silent": ({ node, phase }) => ({
    what: `${node} is silent (${phase}); nothing is known of its power`,
    doNow: `look at the power and the cables of ${node}, keep its logs; then on ${node}: systemctl start gemel`,
  }),
  "network-lost": ({ attribute, nodes, online = "" }) => ({
    what: `${nodes}: ${attribute} is 0: Connectivity is lost, though another node has it`,
    doNow: `on ${nodes}: check cable, card, ip link, firewall; wait until ${attribute} is above 0${then(online)}`,
  }),
  "disk-lost": ({ attribute, nodes, online = "" }) => ({
    what: `${nodes}: ${attribute} is ERROR, though another node reads its disk`,
    doNow: `on ${nodes}: check cable, disk, multipathd, iSCSI; wait until ${attribute} is normal${then(online)}`,
  }),
  "resource-failed": ({ resource, node, proof, count, hint = "" }) => ({
    what: `${resource} failed on ${node} (${proof}; fail-count ${count})`,
    doNow:
      `crm node standby ${node}; mend the cause (${hintOf(hint)}); ` +
      `crm resource cleanup ${resource} ${node}; crm node online ${node}`,
  }),
  "stop-failed": ({ resource, node, proof }) => ({
    what: `${resource} did not stop on ${node} (${proof}): it may still run there, and nothing moves until you act`,
    doNow:
      `on ${node}: stop by hand what ${resource} runs, and see that nothing of it is left; ` +
      `then: crm resource cleanup ${resource} ${node}`,
  }),
  "failure-blocks": ({ resource, node, proof, hint = "" }) => ({
    what: `${resource} failed on ${node} (${proof}), and on-fail=block leaves it so: nothing is done until you act`,
    doNow: `mend the cause on ${node} (${hintOf(hint)}); then: crm resource cleanup ${resource} ${node}`,
  }),
  "resource-degraded": ({ resource, node, reason = "" }) => ({
    what: `${resource} serves on ${node}, but its agent calls it degraded${reason === "" ? "" : `: ${reason}`}`,
    doNow: `mend the cause on ${node} before it fails; then: crm resource cleanup ${resource} ${node}`,
  }),
  "runs-nowhere": ({ holder, resources = "", nodes, online = "" }) => ({
    what: `${
      resources === "" ? `${holder} runs nowhere` : `${holder} does not serve: ${resources} run nowhere`
    }, though ${nodes === "" ? "it is wanted" : `${nodes} could run it`}`,
    doNow: `see the other lines here, and: gemel why ${holder}${then(online)}`,
  }),
  "held-by-stopped": ({ holder, stopped }) => ({
    what: `${holder} cannot run: ${stopped}, which it needs, is stopped by an operator (target-role)`,
    doNow: `when the work is done: crm resource start ${stopped}`,
  }),
  "held-by-lock": ({ holder, node, minutes = "" }) => ({
    what: `${holder} runs nowhere: it waits for ${node}, which was shut down (shutdown-lock), ${
      minutes === "" ? "without a limit" : `for ${minutes} min more`
    }`,
    doNow: `start ${node} again; or let it run elsewhere: crm resource cleanup ${holder} ${node}`,
  }),
  "promoted-nowhere": ({ holder }) => ({
    what: `${holder} is promoted nowhere`,
    doNow: `see the other lines here, and: gemel why ${holder}`,
  }),
  "node-sick": ({ node, why }) => ({
    what: `${node} is sick and its watchdog is not fed: ${why}`,
    doNow: `it ends by itself; move what it runs while there is time: crm node standby ${node}`,
  }),
  "tie-breaker-unready": ({ node, why }) => ({
    what: `${node} could not take the lock that decides between two halves: ${why}`,
    doNow: "mend the way to the disk, or make the lock: gemel fence lock create DISK --yes DISK",
  }),
  "cib-not-written": ({ node, why }) => ({
    what: `the disk of ${node} does not take the configuration: ${why}; changes wait for it, on every node`,
    doNow: `free or mend the disk of ${node}; it is tried again each second`,
  }),
  "configuration-conflict": ({ version, lost }) => ({
    what: `both sides had changed the configuration while apart: in ${version} ${lost} lines of one are not in force`,
    doNow: "see what is missing (gemel config log), and make those changes again, or any other: then this is settled",
  }),
  "clock-skew": ({ node, seconds, direction }) => ({
    what: `the clock of ${node} is ${seconds} s ${direction === "ahead" ? "ahead of" : "behind"} this node's`,
    doNow: "set it right on both (chronyd, ntpd): until then failures there look too old or too new (failure-timeout)",
  }),
  "alert-not-told": ({ node, target, reason, lost }) => ({
    what: `alert ${target} is not told by ${node}: ${reason}${lost === "0" ? "" : `; ${lost} lost`}`,
    doNow: `on ${node}: mend the agent (there, executable, exit code 0 in its time), or: crm configure edit`,
  }),
  "silence-near-deadtime": ({ silence, deadtime, late }) => ({
    what: `a living node was silent for ${silence} ms, deadtime is ${deadtime} ms`,
    doNow: `raise deadtime on all nodes, or find what delays it (beats here: 1 of 100 is ${late} ms late)`,
  }),
  "network-lost-everywhere": ({ attribute, nodes, online = "" }) => ({
    what: `all nodes (${nodes}): ${attribute} is 0: what is pinged is down, or the way to it`,
    doNow: `mend the network (gateway, switch); services return by themselves${then(online)}`,
  }),
  "disk-lost-everywhere": ({ attribute, nodes }) => ({
    what: `all nodes (${nodes}): ${attribute} is ERROR: the shared disk itself is broken`,
    doNow: "stop the cluster at once on every node: systemctl stop gemel; start nothing; recover the data",
  }),
  "failed-everywhere": ({ resource, proof, first, second, hint = "" }) => ({
    what: `${resource} failed on more than one node (${proof})`,
    doNow:
      `mend the common cause (${hintOf(hint)}); crm resource cleanup ${resource} ${first}; look that it runs; ` +
      `crm resource cleanup ${resource} ${second}; crm node online ${second}`,
  }),
  "left-over-constraint": ({ constraint, resource, from }) => ({
    what: `${constraint}, left by an earlier move of ${resource}, ${
      from === "" ? "decides where it runs" : `keeps it from ${from}`
    }`,
    doNow: `see that ${resource} runs; then: crm resource unmove ${resource}`,
  }),
  "shutdown-hangs": ({ node, proof, resource }) => ({
    what: `${node} cannot leave: ${proof}`,
    doNow:
      (resource === ""
        ? ""
        : `on ${node}: stop by hand what ${resource} runs, then crm resource cleanup ${resource}; `) +
      "always stop gemel before the system; if nothing else helps: reboot -f",
  }),
  "not-ready": ({ node, resources, proof, cleanup, kind = "" }) => ({
    what: `${node} is not ready for ${resources}: something that it needs was not there (${proof})`,
    doNow:
      kind === "device"
        ? `mend the device's parameters (gemel verify -L); then: ${cleanup}`
        : `check files, disks and networks of ${node}; then: ${cleanup}`,
  }),
  "start-refused": ({ node, links, phase }) => ({
    what: `${node} is heard on ${links}, but as a start that is over (${phase}): restored or resumed, it is not let in`,
    doNow: `on ${node}: systemctl restart gemel; it takes a newer generation by itself`,
  }),
  "mutual-fencing": ({ one, two, at }) => ({
    what: `${one} and ${two} have fenced each other at ${at}`,
    doNow: `give one of them a head start: crm configure property priority-fencing-delay=15s; add a second link`,
  }),
  "fencing-fails": ({ node, count, evidence, at }) => ({
    what: `fencing of ${node} has failed ${count} times, last at ${at} (${evidence}); nothing of it is taken over`,
    doNow: `check its board and the network to it; or pull the power of ${node}, then: gemel fence confirm ${node}`,
  }),
  "active-twice": ({ resource, nodes, last }) => ({
    what: `${resource} is active on ${nodes} at the same time`,
    doNow: `stop the writer on one of them at once: crm node standby ${last}; then compare the data (gemel log)`,
  }),
  "address-without-interface": ({ node, resource, address, proof }) => ({
    what: `${resource}: ${node} has no interface in the network of ${address}, and no nic is configured (${proof})`,
    doNow:
      `crm resource param ${resource} set nic IFACE, or give ${node} that network; ` +
      `then: crm resource cleanup ${resource} ${node}`,
  }),
  "address-moved": ({ resource, node, before, address, seconds }) => ({
    what:
      `${resource} (${address}) came from ${before} to ${node} ${seconds} s ago; ` +
      "neighbours may still know the old card",
    doNow: `wait a minute; if sessions stay broken, on ${node}: arping -U -c 3 -I IFACE ${address}`,
  }),
  "link-down": ({ link, peer, state }) => ({
    what: `link ${link} to ${peer} is ${state}`,
    doNow: "look at the cable, the card and the switch; the link heals by itself",
  }),
  "no-quorum": ({ nodes, count, how }) =>
    how === "not-counted"
      ? {
          what: `no quorum yet: ${nodes} are together, of ${count} nodes, and not counted yet; nothing new is started`,
          doNow: "wait; if it stays for a minute: gemel status on the other nodes, and gemel log",
        }
      : {
          what: `no quorum: this part has only ${nodes}, of ${count} nodes; nothing new is started, all may stop`,
          doNow: "see the lines about the absent nodes and the links; bring back as many as make a majority",
        },
  "decisions-held-up": ({ why }) => ({
    what: `nothing is decided, and nothing would be taken over: ${why}`,
    doNow:
      "each node must hear each other one: gemel status on every node, the cables and switches between those named; " +
      "if it stays: systemctl restart gemel on the node named",
  }),
  "no-dc": () => ({ what: "there is no DC: nothing is decided", doNow: "wait half a minute; then look at: gemel log" }),
  "node-unclean": ({ node, outcome = "", reason, seconds, running = "" }) => ({
    what: `${node} is lost and not known to be off, so nothing of it is taken over${
      outcome === "" ? "" : `; the last fencing, ${seconds} s ago, was ${outcome}: ${reason}`
    }${running === "" ? "" : running === "person" ? "; a PERSON is waited for" : "; a fencing is under way"}`,
    doNow:
      (running === "person" ? "" : "mend what the fencing names: it is tried again by itself; or ") +
      `switch ${node} off by hand, see that it is off, and run \`gemel fence confirm ${node}\``,
  }),
  "node-standby": ({ node }) => ({
    what: `${node} is in standby`,
    doNow: `when the work is done: crm node online ${node}`,
  }),
  "node-maintenance": ({ node }) => ({
    what: `${node} is in maintenance`,
    doNow: `when the work is done: crm node ready ${node}`,
  }),
  "fencing-disabled": () => ({
    what: "fencing is disabled by configuration: after a cut of all links both nodes may write",
    doNow: "configure a fencing device for each node, then: crm configure property stonith-enabled=true",
  }),
  "no-fencing-device": ({ node }) => ({
    what: `no fencing device can fence ${node}: its resources could never be taken over`,
    doNow: `configure a fencing device for ${node}`,
  }),
  "fencing-unproven": ({ node, device, at, reason }) => ({
    what:
      `${node} could not fence by ${device} now (${at === "" ? "never proven" : `last proven ${at}`})` +
      `: ${reason === "" ? "it was not looked at since" : reason}`,
    doNow: `mend the cause, then on ${node}: gemel fence prove ${device}`,
  }),
  "drbd-degraded": (values) => ({
    what: drbd(values),
    doNow: "it heals by itself once the peer is back; look at the peer and the replication link",
  }),
  "drbd-diskless": (values) => ({
    what: drbd(values),
    doNow:
      "this node works on the peer's disk: mend or replace its own, " +
      `then run \`drbdadm attach ${values["resource"]}\` here`,
  }),
  "drbd-stale": (values) => ({
    what: drbd(values),
    doNow:
      "start the peer: this node's data may be old. Only if the peer's data are lost for good, and with them what it " +
      `wrote alone: \`drbdadm primary --force ${values["resource"]}\` here`,
  }),
  "drbd-frozen": (values) => ({
    what: drbd(values),
    doNow: "it goes on as soon as the peer is proven to be off, or is back",
  }),
  "drbd-syncing": (values) => ({ what: drbd(values), doNow: "it is being synchronised: wait" }),
  "drbd-split": (values) => ({
    what: drbd(values),
    doNow:
      "the two sides may have split: compare the data; then, on the side that shall lose its own: " +
      `drbdadm secondary ${values["resource"]}; drbdadm connect --discard-my-data ${values["resource"]}; ` +
      `on the other: drbdadm connect ${values["resource"]}`,
  }),
  "drbd-differs": ({ resource, behind }) => ({
    what:
      `DRBD ${resource}: both disks say UpToDate, but ${behind} KiB of them differ; ` +
      "a takeover would show the other data",
    doNow:
      "on the node that is Secondary (they are copied from the Primary): " +
      `drbdadm disconnect ${resource}; drbdadm connect ${resource}`,
  }),
  "drbd-bitmap-left": ({ resource }) => ({
    what:
      `DRBD ${resource}: both disks say UpToDate, but a bitmap UUID was left behind: after the next separation the ` +
      "rejoin might copy nothing, and old data pass for new",
    doNow: `on the node that is Secondary (all is copied from the Primary): drbdadm invalidate ${resource}`,
  }),
  blocked: ({ key, node, why, resource }) => ({
    what: `${key}${node === "" ? "" : ` on ${node}`} is blocked: ${why}`,
    doNow: `mend the cause, then: crm resource cleanup ${resource}${node === "" ? "" : ` ${node}`}`,
  }),
};
