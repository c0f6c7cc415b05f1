/**
 * Options of the field's commands for their help and for tab completion: how each is typed, and what it does. Those
 * that are accepted and have no effect are left out. Times are written as 10s, 5min or PT1H. A test types each of them.
 */
import { foldText } from "../../base/fold.ts";
import { entryOf } from "../../base/record.ts";
import { COLUMNS, wrapped } from "../wrapped.ts";

type Options = readonly (readonly [typed: string, meaning: string])[];

const NODE = ["-N, --node NODE", "of this node; else of this machine"] as const;
const XML: Options = [
  ["-x, --xml-file FILE", "the XML from a file"],
  ["-X, --xml-text XML", "the XML as it stands here"],
  ["-p, --xml-pipe", "the XML from standard input"],
];
const QUIET = ["-q, --quiet", "only the value"] as const;

export const OPTIONS: Readonly<Record<string, Options>> = {
  "attrd-updater": [
    ["-n, --name NAME", "the attribute"],
    ["-U, --update VALUE", "set it"],
    ["-d, --delay TIME", "how long values must stand before they count; with -B or -Y"],
    ["-Q, --query", "tell it; -A: of all nodes"],
    ["-D, --delete", "take it away"],
    NODE,
  ],
  cibadmin: [
    ["-Q, --query", "print the CIB, or part of it"],
    ["-C, --create", "add the XML; refused when it is there"],
    ["-M, --modify", "merge the XML into what has its id; -c: add what is missing"],
    ["-R, --replace", "put the XML in the place of what has its id"],
    ["-D, --delete", "delete the first that fits; nothing is no fault"],
    ["-d, --delete-all", "delete all that fit; wants --force"],
    ["-P, --patch", "apply a patch of crm_diff"],
    ["-o, --scope SECTION", "crm_config, nodes, resources, constraints, status ..."],
    ["-A, --xpath XPATH", "what XPath 1.0 names; quote it for the shell"],
    ["-e, --node-path", "only the paths of what is found"],
    ["-n, --no-children", "without what stands inside"],
    ...XML,
    ["-B, --bump", "raise the epoch by one"],
    ["-u, --upgrade", "the newest schema; wants --force"],
    ["-E, --erase", "delete all of it; wants --force"],
    ["-a, --empty", "print an empty CIB"],
    ["-5, --md5-sum", "the digest of the XML; -6: of a version"],
  ],
  "crm-attribute": [
    ["-n, --name NAME", "the attribute or option; -P PATTERN: several"],
    ["-G, --query", "tell it"],
    ["-v, --update VALUE", "set it"],
    ["-D, --delete", "take it away"],
    NODE,
    ["-l, --lifetime WHEN", "reboot: gone when the node leaves; forever: it stays"],
    ["-t, --type KIND", "crm_config, rsc_defaults, op_defaults or tickets"],
    ["-d, --default VALUE", "what is told when it is not set"],
    ["-z, --utilization", "a capacity of the node"],
    QUIET,
  ],
  "crm-diff": [
    ["-o, --original FILE", "before; -O XML"],
    ["-n, --new FILE", "after; -N XML"],
    ["-p, --patch FILE", "apply this patch to the one before"],
  ],
  "crm-error": [
    ["-X, --exit", "exit codes of commands"],
    ["-r, --rc", "return codes of functions"],
    ["-n, --name", "the names, too"],
    ["-l, --list", "all there are"],
  ],
  "crm-failcount": [
    ["-G, --query", "how often it has failed"],
    ["-D, --delete", "forget that, and let it be tried again"],
    ["-r, --resource RESOURCE", "which resource"],
    ["-n, --operation NAME", "of this operation alone"],
    ["-I, --interval TIME", "of this interval alone"],
    NODE,
  ],
  "crm-node": [
    ["-l, --list", "all nodes that were ever seen"],
    ["-p, --partition", "the members"],
    ["-q, --quorum", "1 with quorum, else 0"],
    ["-n, --name", "the name of this node; -i: its id"],
    ["-N, --name-for-id ID", "the name of another"],
    ["-R, --remove NODE", "forget one that is gone for good; wants --force"],
  ],
  "crm-resource": [
    ["-L, --list", "what runs where; -l: the ids alone"],
    ["-W, --locate", "where it runs"],
    ["-q, --query-xml", "its configuration; -w: before templates"],
    ["-a, --constraints", "what binds it; -A: and those others"],
    ["-O, --list-operations", "what is active; -o: all that was run"],
    ["-Y, --why", "why it runs there, or does not"],
    ["-g, --get-parameter NAME", "a parameter; -m: a meta-attribute"],
    ["-p, --set-parameter NAME", "set it to -v VALUE"],
    ["-d, --delete-parameter NAME", "take it away"],
    ["-C, --cleanup", "forget failures, try again; -R: look at everything anew"],
    ["-M, --move", "to -N NODE, or away; -u TIME ends that"],
    ["-B, --ban", "off -N NODE; -u TIME ends that"],
    ["-U, --clear", "take back move and ban"],
    ["--restart", "stop, wait, start; -T TIME: at most"],
    ["--wait", "until the cluster has done what it wants"],
    ["-F, --fail", "as if it had failed on -N NODE"],
    ["-D, --delete", "the resource of type -t"],
    ["--validate", "its agent judges its parameters"],
    ["--force-check", "run its monitor here; also --force-start, --force-stop"],
    ["-r, --resource RESOURCE", "which resource"],
    ["-f, --force", "in spite of what speaks against it"],
  ],
  "crm-rule": [
    ["-c, --check", "whether it is in effect"],
    ["-r, --rule ID", "which rule; several may be named"],
    ["-d, --date DATE", "at that time, as '2026-12-24 18:00:00Z'"],
    ["-X, --xml-text XML", "in this CIB; -: standard input"],
  ],
  "crm-standby": [
    ["-G, --query", "whether it stands by"],
    ["-v, --update on|off", "have it stand by, or take that back"],
    ["-D, --delete", "take it back"],
    ["-l, --lifetime WHEN", "reboot: until the node leaves; forever"],
    NODE,
  ],
  "crm-ticket": [
    ["-L, --details", "all of them, or the one; -l: briefly"],
    ["-t, --ticket TICKET", "which ticket"],
    ["-g, --grant", "grant it; wants --force"],
    ["-r, --revoke", "revoke it; wants --force"],
    ["-s, --standby", "what depends on it gives way; -a: takes that back"],
    ["-G, --get-attr NAME", "an attribute of it; -S NAME -v VALUE sets one"],
    ["-c, --constraints", "what depends on it"],
    ["-C, --cleanup", "delete it, and what is known of it"],
  ],
  crmadmin: [
    ["-D, --dc_lookup", "which node leads"],
    ["-S, --status NODE", "how that node's controller stands"],
    ["-P, --pacemakerd", "whether the service runs here"],
    ["-N, --nodes", "the nodes; --nodes=cluster, remote or guest"],
    ["-B, --bash-export", "for the shell"],
    ["-q, --quiet", "only the words asked for"],
  ],
  report: [
    ["-f, --from TIME", "since then: 10min (ago), 2h, '2026-12-24 18:00:00Z'"],
    ["-t, --to TIME", "until then; else now"],
    ["-l, --logfile FILE", "this file, too"],
    ["-L, --analyse PATTERN", "lines that the analysis shows"],
    ["-p, --mask PATTERN", "names whose values are masked besides"],
    ["-d, --as-directory", "no archive"],
    ["--state DIR", "of a node that does not run any more"],
  ],
  verify: [
    ["-x, --xml-file FILE", "a CIB, or statements of crm"],
    ["-X, --xml-text XML", "the CIB as it stands here"],
    ["-L, --live-check", "the running configuration"],
    ["-S, --save-xml FILE", "write what was judged"],
    ["-q, --quiet", "the exit code alone: 0, or 78 when it is not valid"],
    ["--output-as xml", "for programs"],
  ],
};

const TYPED_WIDTH = 28;

/** For the help of that command, in 80 columns. `inWords`: what an option does, in words that have no blanks. */
export function optionRows(command: string, inWords?: Readonly<Record<string, string>>): readonly string[] {
  const indent = " ".repeat(TYPED_WIDTH + 3);
  return (entryOf(OPTIONS, command) ?? []).map(([typed, meaning]) => {
    const lead = `  ${typed.padEnd(TYPED_WIDTH)} `;
    const other = inWords === undefined ? undefined : entryOf(inWords, meaning);
    if (other === undefined) return wrapped(`${lead}${meaning}`, indent);
    const lines = foldText(other, COLUMNS - Math.max(indent.length, lead.length)).map((line) => line.trimStart());
    return `${lead}${lines.join(`\n${indent}`)}`;
  });
}

/** Every flag that stands there, for completion. */
export function flagsOf(command: string): readonly string[] {
  return (entryOf(OPTIONS, command) ?? []).flatMap(([typed]) => typed.match(/(?<=^|, )--?[\w-]+/g) ?? []);
}
