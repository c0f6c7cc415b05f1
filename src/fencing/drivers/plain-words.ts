/**
 * What a device says goes into logs, certificates and onto terminals, and a device may be anybody: no control sign of
 * it may end a line or move a cursor there, and no answer may fill a disk.
 */
import type { PowerDevice } from "../core/driver.ts";

/** A sentence with its remedy; what is longer is no answer but a dump. */
const WORDS_MAX = 400;

/** One line, without control signs (C0, C1, marks that turn the direction of writing), cut where it is too long. */
export function plainWords(said: string): string {
  const line = said.slice(0, 4 * WORDS_MAX).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ");
  return line.length <= WORDS_MAX ? line : `${line.slice(0, WORDS_MAX)} ...`;
}

/** The same answer, whatever its words were. */
function plainly<Answer extends object>(answer: Answer): Answer {
  const reason = "reason" in answer && typeof answer.reason === "string" ? { reason: plainWords(answer.reason) } : {};
  const text = "text" in answer && typeof answer.text === "string" ? { text: plainWords(answer.text) } : {};
  return { ...answer, ...reason, ...text };
}

/** The same device, in plain words. */
export function inPlainWords(device: PowerDevice): PowerDevice {
  return {
    switchPower: async (wanted) => plainly(await device.switchPower(wanted)),
    readPower: async () => plainly(await device.readPower()),
    readIdentity: async () => plainly(await device.readIdentity()),
  };
}
