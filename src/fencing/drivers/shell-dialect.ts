/**
 * Boards with a command shell: log in, give one command, read its answer up to the prompt.
 * cluster-glue's ibmrsa-telnet takes an error, or no answer, for success; here a command counts as accepted only by
 * the word that the board says for it, and even then only the power that is read back is a proof.
 */
import { entryOf } from "../../base/record.ts";
import type { Expected, TextLine } from "../../hw/core/text/line.ts";
import type { PowerDevice, SwitchAnswer, ToldPower } from "../core/driver.ts";

export interface ShellDialect {
  /** How the shell asks for user and password; absent where the line itself has logged in, as ssh does. */
  readonly login?: { readonly user: RegExp; readonly password: RegExp };
  /**
   * Where one board serves several machines: the prompt after the login, and what leads from there to the one machine.
   * Every later answer must end with `prompt`, which names it: a command is never given to another one.
   */
  readonly enter?: { readonly welcome: RegExp; readonly command: string };
  /** Ends every answer. Also matches nothing of a login that was refused. */
  readonly prompt: RegExp;
  readonly off: string;
  readonly on: string;
  readonly status: string;
  /** The board took the command. */
  readonly accepted: RegExp;
  /** The board has no such right for this user. */
  readonly denied: RegExp;
  /** The first group holds `on` or `off`, or `enabled` or `disabled`, in any case. */
  readonly power: RegExp;
}

type Said =
  | { readonly kind: "text"; readonly text: string }
  /** `isSent`: the command was written before the silence. */
  | { readonly kind: "lost"; readonly isSent: boolean; readonly reason: string };

const SECOND_LOGIN = "the board does not know this user or password; correct the secrets file";

/** The last words of an answer, for a reason: one line, no control characters. */
function lastWords(text: string): string {
  const words = text.replaceAll(/[^\x20-\x7e]+/g, " ").trim();
  return words.slice(-80);
}

const POWER_WORDS: Readonly<Record<string, "on" | "off">> = { on: "on", enabled: "on", off: "off", disabled: "off" };

const WRONG_BOARD = "is it the board that this driver is for? Correct host, or the driver";

/** Why nobody asked for what was to be given. */
function unasked(what: "login" | "password", { kind, text }: Exclude<Expected, { readonly kind: "seen" }>): string {
  const said = lastWords(text);
  if (kind === "closed")
    return `the board hangs up before it asks for a ${what}: perhaps it has no session left; close other logins`;
  if (said === "") return `the board takes the connection and asks for no ${what} within its time; reset the board`;
  return `the board asks for no ${what}, but says: ${said}; ${WRONG_BOARD}`;
}

/** One login on this line, made with the first call; `user`: for shells that ask for one. */
export function shellDevice(line: TextLine, dialect: ShellDialect, user = ""): PowerDevice {
  let isLoggedIn = false;
  let failure: string | undefined;

  async function logIn(): Promise<string | undefined> {
    const { login } = dialect;
    if (login === undefined) {
      const welcome = await line.expect(dialect.prompt);
      if (welcome.kind !== "seen")
        return `the board took the login, but shows no prompt: ${lastWords(welcome.text)}; ${WRONG_BOARD}`;
      isLoggedIn = true;
      return undefined;
    }
    const asked = await line.expect(login.user);
    if (asked.kind !== "seen") return unasked("login", asked);
    line.sendLine(user);
    const secret = await line.expect(login.password);
    if (secret.kind !== "seen") return unasked("password", secret);
    line.sendPassword();
    // A refused login asks again, says so, or hangs up.
    const first = dialect.enter?.welcome ?? dialect.prompt;
    const either = new RegExp(`${first.source}|${login.user.source}|invalid|incorrect|denied|failed`, "i");
    const welcome = await line.expect(either);
    if (welcome.kind === "silent") return `the board took the login, but shows no prompt; ${WRONG_BOARD}`;
    if (welcome.kind === "closed" || !first.test(welcome.text)) return SECOND_LOGIN;
    const lost = await enterMachine();
    isLoggedIn = lost === undefined;
    return lost;
  }

  async function enterMachine(): Promise<string | undefined> {
    const { enter, prompt } = dialect;
    if (enter === undefined) return undefined;
    line.sendLine(enter.command);
    const answer = await line.expect(new RegExp(`${prompt.source}|${enter.welcome.source}`));
    if (answer.kind === "seen" && prompt.test(answer.text)) return undefined;
    return `the board does not know this machine (${enter.command}): ${lastWords(answer.text)}; correct module`;
  }

  async function ask(command: string): Promise<Said> {
    if (!isLoggedIn) failure ??= await logIn();
    if (failure !== undefined) return { kind: "lost", isSent: false, reason: failure };
    line.sendLine(command);
    const said = await line.expect(dialect.prompt);
    if (said.kind === "seen") return { kind: "text", text: said.text };
    const how = said.kind === "closed" ? "hung up" : "did not answer";
    failure = `the board ${how} after ${command}: ${lastWords(said.text)}`;
    return { kind: "lost", isSent: true, reason: failure };
  }

  async function readPower(): Promise<ToldPower> {
    const said = await ask(dialect.status);
    if (said.kind === "lost") return { kind: "unreadable", reason: said.reason };
    const power = entryOf(POWER_WORDS, dialect.power.exec(said.text)?.[1]?.toLowerCase() ?? "");
    if (power !== undefined) return { kind: "power", power };
    return { kind: "unreadable", reason: `the power cannot be read from: ${lastWords(said.text)}` };
  }

  return {
    async switchPower(wanted): Promise<SwitchAnswer> {
      const said = await ask(wanted === "off" ? dialect.off : dialect.on);
      if (said.kind === "lost") return { kind: said.isSent ? "maybe" : "refused", reason: said.reason };
      const reason = `the board said: ${lastWords(said.text)}`;
      if (dialect.denied.test(said.text))
        return { kind: "refused", reason: `${reason}; give this user the right to switch the power` };
      return dialect.accepted.test(said.text) ? { kind: "accepted" } : { kind: "maybe", reason };
    },
    readPower,
    async readIdentity() {
      const power = await readPower();
      if (power.kind === "unreadable") return power;
      return { kind: "identity", uuid: undefined, text: "logged in; this shell tells no identity" };
    },
  };
}
