/**
 * The table of fencing drivers, one literal object, and the catalogue that the reader of the configuration asks.
 * Agent names of the old world (`external/ipmi`, `fence_ipmilan`) are translated here, once.
 */
import { entryOf } from "../../base/record.ts";
import type { DriverCatalogue, DriverChoice } from "../core/catalogue.ts";
import { ALIASES, aliasOfAgent, translate } from "./alias.ts";
import { deadCheck } from "./dead-check.ts";
import { type Driver, type DriverParameter, parametersIn, readParameters } from "./define-driver.ts";
import { externalPlugin } from "./external-plugin.ts";
import { fenceAgent } from "./fence-agent.ts";
import { iloRibcl } from "./ilo-ribcl.ts";
import { ipmiLan } from "./ipmi-lan.ts";
import { libvirt } from "./libvirt.ts";
import { meatwareParameters } from "./meatware.ts";
import { nut } from "./nut.ts";
import { boundMs } from "./prove-power.ts";
import { redfish } from "./redfish.ts";
import { sbd } from "./sbd.ts";
import { sfex } from "./sfex.ts";
import { snmpPdu } from "./snmp-pdu.ts";
import { iloSsh, racadmSsh } from "./ssh-boards.ts";
import { ammTelnet, drac4Telnet, dracMcTelnet, racadmTelnet, rsaTelnet } from "./telnet-boards.ts";
import { watchdog } from "./watchdog.ts";

type Values = Readonly<Record<string, string>>;

export const DRIVERS: Readonly<Record<string, Driver>> = {
  "ipmi-lan": ipmiLan,
  redfish,
  "ilo-ribcl": iloRibcl,
  "rsa-telnet": rsaTelnet,
  "drac-mc-telnet": dracMcTelnet,
  "drac4-telnet": drac4Telnet,
  "racadm-telnet": racadmTelnet,
  "amm-telnet": ammTelnet,
  "ilo-ssh": iloSsh,
  "racadm-ssh": racadmSsh,
  "snmp-pdu": snmpPdu,
  libvirt,
  nut,
  "dead-check": deadCheck,
  "fence-agent": fenceAgent,
  "external-plugin": externalPlugin,
  sbd,
  sfex,
  watchdog,
};

/** The driver of that name. */
export function driverOf(name: string): Driver | undefined {
  return entryOf(DRIVERS, name);
}

function chooseManual(parameters: Values): Pick<DriverChoice, "complaints" | "boundMs"> {
  const read = readParameters(meatwareParameters, parameters);
  if (read.kind === "wrong") return { complaints: read.complaints, boundMs: 0 };
  return { complaints: [], boundMs: read.value.confirm_time };
}

function chooseDriver(driver: Driver, parameters: Values): Pick<DriverChoice, "complaints" | "boundMs"> {
  const read = driver.read(parameters);
  if (read.kind === "wrong") return { complaints: read.complaints, boundMs: 0 };
  return { complaints: [], boundMs: boundMs(read.bound.times) };
}

const aliasOf = (agent: string) => entryOf(ALIASES, agent) ?? aliasOfAgent(agent);

function choose(agent: string, given: Values): DriverChoice | undefined {
  const alias = aliasOf(agent);
  if (alias === undefined) return undefined;
  const { parameters, complaints } = translate(alias, given);
  const driver = driverOf(alias.driver);
  const read = driver === undefined ? chooseManual(parameters) : chooseDriver(driver, parameters);
  return {
    driver: alias.driver,
    parameters,
    manual: driver === undefined,
    plugParameter: alias.plugParameter,
    isAgentOfOthers: alias.driver === fenceAgent.name,
    hasOutlets: alias.hasOutlets ?? false,
    switchesOn: driver?.switchesOn ?? false,
    isWitness: driver?.isWitness ?? false,
    rebootParameters: driver?.rebootParameters ?? {},
    borrowing: driver?.borrowing,
    complaints: [...complaints, ...read.complaints],
    boundMs: read.boundMs,
  };
}

export interface AgentParameter extends DriverParameter {
  /** The name that an old configuration gives it; the same where it has none of its own. */
  readonly oldName: string;
}

/** What an agent takes, in our names and in its own; undefined: there is no such agent. */
export function parametersOf(agent: string): readonly AgentParameter[] | undefined {
  const alias = aliasOf(agent);
  if (alias === undefined) return undefined;
  const { renames, implied = {} } = alias;
  const own = driverOf(alias.driver)?.parameters ?? parametersIn(meatwareParameters);
  return own
    .filter(({ name }) => !Object.hasOwn(implied, name))
    .map((parameter) => {
      const [oldName] = Object.entries(renames).find(([, ours]) => ours === parameter.name) ?? [parameter.name];
      return { ...parameter, oldName };
    });
}

/** Parameters of an agent whose value would be a password, which is refused. */
export const passwordsOf = (agent: string): readonly string[] => aliasOf(agent)?.passwords ?? [];

/** The parameter of an agent that the fencer fills in for each node. */
export const plugOf = (agent: string): string | undefined => aliasOf(agent)?.plugParameter;

export const CATALOGUE: DriverCatalogue = { choose, agents: [...Object.keys(ALIASES), "fence_*", "external/*"] };
