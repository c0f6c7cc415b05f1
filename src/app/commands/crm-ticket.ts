/**
 * `gemel crm-ticket`, also `crm_ticket`: the tickets of this site: what is granted, and granting by hand where no booth
 * does it. Facts: crm_ticket(8); outputs and exit codes of crm_ticket 2.1.5 on CIB files.
 */
import process from "node:process";
import { entryOf } from "../../base/record.ts";
import { childOf, childrenOf, printXml, type XmlElement, xml } from "../../base/xml.ts";
import { isTrue } from "../../cluster/core/scheduler/facts/values.ts";
import { readCommandLine } from "../control-client.ts";
import { ctime } from "../ctime.ts";
import { askOrTell, EXIT, FIELD_EXIT, fetchCib, wrongCall } from "./ask.ts";

const USAGE =
  "crm_ticket -l | -L | -w | -q | -c  [-t TICKET]\n" +
  "       crm_ticket -g|-r|-s|-a|-C | -G NAME [-d DEFAULT] | -S NAME -v VALUE | -D NAME  -t TICKET [-f]";
export const FLAGS = {
  info: { type: "boolean", short: "l" },
  details: { type: "boolean", short: "L" },
  raw: { type: "boolean", short: "w" },
  "query-xml": { type: "boolean", short: "q" },
  constraints: { type: "boolean", short: "c" },
  grant: { type: "boolean", short: "g" },
  revoke: { type: "boolean", short: "r" },
  standby: { type: "boolean", short: "s" },
  activate: { type: "boolean", short: "a" },
  "get-attr": { type: "string", short: "G" },
  "set-attr": { type: "string", short: "S" },
  "delete-attr": { type: "string", short: "D" },
  cleanup: { type: "boolean", short: "C" },
  "attr-value": { type: "string", short: "v" },
  default: { type: "string", short: "d" },
  force: { type: "boolean", short: "f" },
  ticket: { type: "string", short: "t" },
  // Of a form of tickets that is no more: accepted, and of no effect.
  "set-name": { type: "string", short: "n" },
  nvpair: { type: "string", short: "i" },
  quiet: { type: "boolean", short: "Q" },
  verbose: { type: "boolean", short: "V" },
} as const;
const ACTIONS = [
  "info",
  "details",
  "raw",
  "query-xml",
  "constraints",
  "grant",
  "revoke",
  "standby",
  "activate",
  "get-attr",
  "set-attr",
  "delete-attr",
  "cleanup",
] as const;
/** What Pacemaker calls insufficient privileges: it wants --force. */
const NOT_ALLOWED = 4;

interface Call {
  readonly socketPath: string;
  readonly action: (typeof ACTIONS)[number];
  readonly ticket: string | undefined;
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
}

function complain(text: string, code: number): number {
  process.stderr.write(`crm_ticket: ${text}\n`);
  return code;
}

const tell = (text: string) => void process.stdout.write(`${text}\n`);
const noSuch = (id: string) => complain(`No such ticket '${id}'`, FIELD_EXIT.notFound);
const document = (element: XmlElement) => printXml(element).trimEnd();

function line({ attributes }: XmlElement, withDetails: boolean): string {
  const { id = "", granted, standby, "last-granted": at } = attributes;
  const state = `${isTrue(granted) ? "granted" : "revoked"}${isTrue(standby) ? " [standby]" : ""}`;
  const when = at === undefined ? "" : `last-granted='${ctime(Number(at) * 1000)}'`;
  const pad = isTrue(standby) ? " " : "           ";
  if (!withDetails) return `${id}\t${state}${pad}${when}`;
  const shown = Object.entries(attributes)
    .filter(([name]) => name !== "id" && name !== "last-granted")
    .map(([name, value]) => `${name}=${value}`);
  const details = [...shown, ...(when === "" ? [] : [when])].join(", ");
  return `${id}\t${state}${pad}${details === "" ? "" : `(${details})`}`;
}

const ticketsOf = (cib: XmlElement) => childOf(childOf(cib, "status"), "tickets");

const stateOf = (cib: XmlElement, ticket: string) =>
  childrenOf(ticketsOf(cib), "ticket_state").find(({ attributes }) => attributes["id"] === ticket);

function show({ action, ticket }: Call, cib: XmlElement): number {
  const tickets = ticketsOf(cib) ?? xml("tickets");
  const states = childrenOf(tickets, "ticket_state").filter(
    ({ attributes }) => ticket === undefined || attributes["id"] === ticket,
  );
  if (action === "constraints") {
    const constraints = childrenOf(childOf(childOf(cib, "configuration"), "constraints"), "rsc_ticket");
    const mine = constraints.filter(({ attributes }) => ticket === undefined || attributes["ticket"] === ticket);
    if (mine.length === 0 && ticket !== undefined)
      return complain("Could not show ticket constraints: No such device or address", FIELD_EXIT.notFound);
    tell(`Constraints XML:\n\n${mine.map(document).join("\n")}`);
    return EXIT.done;
  }
  const [first] = states;
  if (first === undefined && ticket !== undefined) return noSuch(ticket);
  if (action === "query-xml") {
    tell(`State XML:\n\n${document(ticket === undefined || first === undefined ? tickets : first)}`);
    return EXIT.done;
  }
  for (const state of states)
    tell(action === "raw" ? (state.attributes["id"] ?? "") : line(state, action === "details"));
  return EXIT.done;
}

/** Whoever grants or revokes by hand is told what that may do, and has to say it twice. */
function warn(ticket: string, isGrant: boolean): number {
  const verb = isGrant ? "grant" : "revoke";
  const [danger, place] = isGrant
    ? [`This command cannot help you verify whether '${ticket}' has been already granted elsewhere.`, "to"]
    : [
        `Revoking '${ticket}' can trigger the specified 'loss-policy'(s) relating to '${ticket}'.\n\n` +
          `You can check that with:\ncrm_ticket --ticket ${ticket} --constraints\n\n` +
          `Otherwise before revoking '${ticket}', you may want to make '${ticket}' standby with:\n` +
          `crm_ticket --ticket ${ticket} --standby\n`,
        "from",
      ];
  tell(danger);
  tell(`If you really want to ${verb} '${ticket}' ${place} this site now, and you know what you are doing,`);
  tell("please specify --force.");
  return complain("Ticket modification not allowed", NOT_ALLOWED);
}

interface Wish {
  readonly name?: string;
  readonly value?: string;
}

function wishOf({ action, flags }: Call): Wish | string {
  const { "set-attr": set, "delete-attr": removed, "attr-value": value } = flags;
  if (action === "grant" || action === "revoke") return { name: "granted", value: String(action === "grant") };
  if (action === "standby" || action === "activate") return { name: "standby", value: String(action === "standby") };
  if (action === "delete-attr") return { name: String(removed) };
  if (action !== "set-attr") return {};
  return typeof value === "string" ? { name: String(set), value } : `Must supply value with -v for -S ${String(set)}`;
}

async function change(call: Call, ticket: string, cib: XmlElement): Promise<number> {
  const wish = wishOf(call);
  if (typeof wish === "string") return wrongCall("crm_ticket", wish, USAGE);
  const state = stateOf(cib, ticket);
  if (state === undefined && call.action === "cleanup") return noSuch(ticket);
  const isGranted = isTrue(state?.attributes["granted"]);
  const isGrant = wish.name === "granted" && isTrue(wish.value);
  const isRevocation = (wish.name === "granted" && !isGrant) || (wish.name === undefined && isGranted);
  if (call.flags["force"] !== true && (isRevocation || isGrant)) return warn(ticket, isGrant);
  const asked = await askOrTell("crm_ticket", call.socketPath, { kind: "ticket", ticket, ...wish });
  if (asked.kind === "failed") return asked.exitCode;
  if (call.action === "cleanup") tell(`Cleaned up ${ticket}`);
  return EXIT.done;
}

/** Exit codes: 0; 4 wants --force; 64 wrong call; 69 no manager; 105 there is none. */
export async function run(argv: readonly string[]): Promise<number> {
  const called = readCommandLine(argv, FLAGS);
  if (called.kind === "wrong") return wrongCall("crm_ticket", called.reason, USAGE);
  const { flags, socketPath } = called;
  const [action, second] = ACTIONS.filter((name) => flags[name] !== undefined);
  if (action === undefined) return wrongCall("crm_ticket", "Must supply a command", USAGE);
  if (second !== undefined) return wrongCall("crm_ticket", `--${action} and --${second} exclude each other`, USAGE);
  const ticket = typeof flags.ticket === "string" ? flags.ticket : undefined;
  const isQuery = ACTIONS.indexOf(action) <= ACTIONS.indexOf("constraints");
  if (ticket === undefined && !isQuery) return wrongCall("crm_ticket", "Must supply ticket ID with -t", USAGE);
  const cib = await fetchCib("crm_ticket", socketPath);
  if (typeof cib === "number") return cib;
  const call: Call = { socketPath, action, ticket, flags };
  if (isQuery || ticket === undefined) return show(call, cib);
  if (action !== "get-attr") return await change(call, ticket, cib);
  const value = entryOf(stateOf(cib, ticket)?.attributes, String(flags["get-attr"])) ?? flags.default;
  if (typeof value !== "string") return FIELD_EXIT.notFound;
  tell(value);
  return EXIT.done;
}
