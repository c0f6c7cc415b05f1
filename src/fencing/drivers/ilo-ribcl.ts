/**
 * Fencing by iLO 1 and 2: RIBCL, raw XML over TLS, one document a connection.
 * The power button is held, because SET_HOST_POWER asks the operating system on some firmware. Newer iLO 2 firmware
 * ignores a hold without TOGGLE on a machine that is off, and with TOGGLE switches it on: so the power is read first,
 * and the button held only while it says ON.
 * Facts: reference stonith.md, section 4 (from the old plugins and agents; no unit was seen).
 */
import * as v from "valibot";
import { entryOf } from "../../base/record.ts";
import { parseXml, type XmlElement } from "../../base/xml.ts";
import type { DocumentBoard } from "../../hw/core/tls/document.ts";
import type { PowerDevice, SwitchAnswer, ToldPower } from "../core/driver.ts";
import { defineDriver } from "./define-driver.ts";
import { certificate, port, powerTimes, text, timesOf } from "./parameter.ts";

const parameters = v.strictObject({
  host: text("write the address of the board"),
  port: port(443),
  user: text("write the board's user"),
  secret: text("name the entry of the secrets file that holds the password"),
  certificate,
  tls: v.optional(
    v.picklist(["strict", "legacy"], "write strict, or legacy for a board that knows only the old versions of TLS"),
    "legacy",
  ),
  ...powerTimes({ answerMs: 15_000, confirmMs: 60_000, pollMs: 1_000, settleMs: 1_000 }),
});

type Reply =
  | { readonly kind: "elements"; readonly elements: readonly XmlElement[] }
  /** The board's own words; nothing was done. */
  | { readonly kind: "status"; readonly code: number; readonly message: string }
  /** `isSent`: the document had been sent. */
  | { readonly kind: "lost"; readonly isSent: boolean; readonly reason: string };

interface Firmware {
  readonly processor: string;
  readonly version: number;
}

type Block = "SERVER_INFO" | "RIB_INFO";

const STATUSES_OF_COMMAND = 4;
const LOGIN_FAILED = 0x5f;
const PRIVILEGE_MISSING = 0x23;
const IGNORED_WHILE_OFF = 0x54;
/** From this firmware on an iLO 2 wants TOGGLE for the button (fence-agents know it as "above 1.29"). */
const TOGGLE_AFTER_VERSION = 1.29;

const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (value: string) => value.replaceAll(/[&<>"]/g, (sign) => entryOf(ESCAPES, sign) ?? sign);

/** The closing LOCFG is left out on purpose: iLO answers it with a syntax error. */
function documentOf(user: string, password: string, block: string, mode: string, command: string): readonly string[] {
  const login = `<LOGIN USER_LOGIN="${escaped(user)}" PASSWORD="${escaped(password)}">`;
  return [
    '<?xml version="1.0"?>\r\n',
    `<LOCFG VERSION="2.21">\r\n<RIBCL VERSION="2.0">\r\n${login}\r\n<${block} MODE="${mode}">\r\n` +
      `${command}\r\n</${block}>\r\n</LOGIN>\r\n</RIBCL>\r\n`,
  ];
}

function all(element: XmlElement): readonly XmlElement[] {
  return [element, ...element.children.flatMap(all)];
}

/** The answer is several documents behind each other; a status other than 0 in any of them is the answer. */
function readReply(text: string): Reply {
  const elements: XmlElement[] = [];
  for (const document of text.split(/<\?xml[^>]*\?>/).filter((each) => each.trim() !== "")) {
    const read = parseXml(document.trim());
    if (read.kind !== "xml") return { kind: "lost", isSent: true, reason: `no XML: ${read.reason}` };
    elements.push(...all(read.root));
  }
  for (const { name, attributes } of elements) {
    const code = Number.parseInt(attributes["STATUS"] ?? "0", 16);
    if (Number.isNaN(code)) return { kind: "lost", isSent: true, reason: "a status of the answer is no number" };
    if (name === "RESPONSE" && code !== 0) return { kind: "status", code, message: attributes["MESSAGE"] ?? "" };
  }
  return { kind: "elements", elements };
}

/**
 * The board hangs up behind its last document, but not every firmware does. It is whole, too, with a refusal, with the
 * element that was asked for, or with a status for each of the header, RIBCL, LOGIN and the command.
 */
function isWholeAnswer(text: string, element: string | undefined): boolean {
  if (!/<\/RIBCL>\s*$/.test(text)) return false;
  if (/STATUS="0x(?!0000")[0-9a-f]{4}"/i.test(text)) return true;
  if (element !== undefined) return text.includes(`<${element}`);
  return (text.match(/<\/RIBCL>/g) ?? []).length >= STATUSES_OF_COMMAND;
}

function describe(code: number, message: string): string {
  if (code === LOGIN_FAILED) return "the board does not know this user or password; correct the secrets file";
  if (code === PRIVILEGE_MISSING) {
    return "the board does not grant this right; give the user Virtual Power and Reset";
  }
  return `the board said: ${message} (status 0x${code.toString(16).padStart(4, "0")})`;
}

/** The machine of this iLO. */
export function iloDevice(board: DocumentBoard, user: string): PowerDevice {
  let known: Firmware | undefined;

  /** `element`: what the answer to a question holds; a command is answered by statuses alone. */
  async function ask(block: Block, mode: "read" | "write", command: string, element?: string): Promise<Reply> {
    const isWhole = (text: string) => isWholeAnswer(text, element);
    const answer = await board.exchange((password) => documentOf(user, password, block, mode, command), isWhole);
    if (answer.kind === "text") return readReply(answer.text);
    return { kind: "lost", isSent: answer.kind === "silent", reason: answer.reason };
  }

  /** One attribute of one element of the answer, or why there is none. */
  async function look(block: Block, command: string, element: string): Promise<Reply> {
    const reply = await ask(block, "read", `<${command}/>`, element);
    if (reply.kind !== "elements") return reply;
    const found = reply.elements.filter(({ name }) => name === element);
    if (found.length > 0) return { kind: "elements", elements: found };
    return { kind: "lost", isSent: true, reason: `there is no ${element} in the answer` };
  }

  const reasonOf = (reply: Exclude<Reply, { kind: "elements" }>) =>
    reply.kind === "status" ? describe(reply.code, reply.message) : reply.reason;

  async function readPower(): Promise<ToldPower> {
    const reply = await look("SERVER_INFO", "GET_HOST_POWER_STATUS", "GET_HOST_POWER");
    if (reply.kind !== "elements") return { kind: "unreadable", reason: reasonOf(reply) };
    const power = reply.elements[0]?.attributes["HOST_POWER"]?.toLowerCase();
    if (power === "on" || power === "off") return { kind: "power", power };
    return { kind: "unreadable", reason: `HOST_POWER is ${power ?? "missing"}` };
  }

  async function readFirmware(): Promise<Firmware | string> {
    if (known !== undefined) return known;
    const reply = await look("RIB_INFO", "GET_FW_VERSION", "GET_FW_VERSION");
    if (reply.kind !== "elements") return reasonOf(reply);
    const { MANAGEMENT_PROCESSOR: processor = "iLO", FIRMWARE_VERSION: version } = reply.elements[0]?.attributes ?? {};
    known = { processor, version: Number(version ?? 0) };
    return known;
  }

  async function press(wanted: "on" | "off"): Promise<Reply> {
    const firmware = await readFirmware();
    if (typeof firmware === "string") return { kind: "lost", isSent: false, reason: firmware };
    const wantsToggle = firmware.processor === "iLO2" && firmware.version > TOGGLE_AFTER_VERSION;
    const hold = wantsToggle ? '<HOLD_PWR_BTN TOGGLE="Yes"/>' : "<HOLD_PWR_BTN/>";
    return ask("SERVER_INFO", "write", wanted === "off" ? hold : "<PRESS_PWR_BTN/>");
  }

  return {
    async switchPower(wanted): Promise<SwitchAnswer> {
      const power = await readPower();
      if (power.kind === "unreadable") return { kind: "refused", reason: power.reason };
      if (power.power === wanted) return { kind: "wrong-state" };
      const reply = await press(wanted);
      if (reply.kind === "elements") return { kind: "accepted" };
      const reason = reasonOf(reply);
      if (reply.kind === "lost") return { kind: reply.isSent ? "maybe" : "refused", reason };
      const isState = reply.code === IGNORED_WHILE_OFF || /already|powered off/i.test(reply.message);
      if (isState) return { kind: "wrong-state" };
      return { kind: /busy|try later/i.test(reply.message) ? "busy" : "refused", reason };
    },
    readPower,
    async readIdentity() {
      const firmware = await readFirmware();
      if (typeof firmware === "string") return { kind: "unreadable", reason: firmware };
      const words = `${firmware.processor}, firmware ${firmware.version}`;
      return { kind: "identity", uuid: undefined, text: words };
    },
  };
}

export const iloRibcl = defineDriver("ilo-ribcl", parameters, (written) => ({
  transport: "tls",
  target: {
    host: written.host,
    port: written.port,
    secret: written.secret,
    certificate: written.certificate,
    isLegacy: written.tls === "legacy",
  },
  times: timesOf(written),
  expectedUuid: undefined,
  device: (board) => iloDevice(board, written.user),
}));
