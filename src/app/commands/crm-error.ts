/**
 * `gemel crm-error`, also `crm_error`: what a number means that a tool of the cluster has ended with.
 * Facts: crm_error(8); lists of crm_error 2.1.5.
 */
import process from "node:process";
import { xml } from "../../base/xml.ts";
import { parseArgs } from "../arguments.ts";
import { refuseOutput } from "../control-client.ts";
import { EXIT, wrongCall } from "./ask.ts";
import { EXIT_CODES, type Meanings } from "./exit-codes.ts";
import { NAMELESS, SYSTEM_ERRORS } from "./system-errors.ts";
import { tellXml } from "./xml-answer.ts";

const USAGE = "crm_error [-X|-r] [-n] [-V] [--output-as xml] [-l | [--] CODE...]";

const RETURN_CODES: Meanings = new Map([
  [-1033, ["pcmk_rc_duplicate_id", "Two or more XML elements have the same ID"]],
  [-1032, ["pcmk_rc_unpack_error", "Unable to parse CIB XML"]],
  [-1031, ["pcmk_rc_invalid_transition", "Cluster simulation produced invalid transition"]],
  [-1030, ["pcmk_rc_graph_error", "Error writing graph file"]],
  [-1029, ["pcmk_rc_dot_error", "Error writing dot(1) file"]],
  [-1028, ["pcmk_rc_underflow", "Value too small to be stored in data type"]],
  [-1027, ["pcmk_rc_no_input", "Input file not available"]],
  [-1026, ["pcmk_rc_no_output", "Output message produced no output"]],
  [-1025, ["pcmk_rc_after_range", "Result occurs after given range"]],
  [-1024, ["pcmk_rc_within_range", "Result occurs within given range"]],
  [-1023, ["pcmk_rc_before_range", "Result occurs before given range"]],
  [-1022, ["pcmk_rc_undetermined", "Result undetermined"]],
  [-1021, ["pcmk_rc_op_unsatisfied", "Not applicable under current conditions"]],
  [-1020, ["pcmk_rc_ipc_pid_only", "IPC server process is active but not accepting connections"]],
  [-1019, ["pcmk_rc_ipc_unresponsive", "IPC server is unresponsive"]],
  [-1018, ["pcmk_rc_ipc_unauthorized", "IPC server is blocked by unauthorized process"]],
  [-1017, ["pcmk_rc_no_quorum", "Operation requires quorum"]],
  [-1016, ["pcmk_rc_schema_validation", "Update does not conform to the configured schema"]],
  [-1015, ["pcmk_rc_schema_unchanged", "Schema is already the latest available"]],
  [-1014, ["pcmk_rc_transform_failed", "Schema transform failed"]],
  [-1013, ["pcmk_rc_old_data", "Update was older than existing configuration"]],
  [-1012, ["pcmk_rc_diff_failed", "Application of update diff failed"]],
  [-1011, ["pcmk_rc_diff_resync", "Application of update diff failed, requesting full refresh"]],
  [-1010, ["pcmk_rc_cib_modified", "On-disk configuration was manually modified"]],
  [-1009, ["pcmk_rc_cib_backup", "Could not archive previous configuration"]],
  [-1008, ["pcmk_rc_cib_save", "Could not save new configuration to disk"]],
  [-1007, ["pcmk_rc_cib_corrupt", "Could not parse on-disk configuration"]],
  [-1006, ["pcmk_rc_multiple", "Resource active on multiple nodes"]],
  [-1005, ["pcmk_rc_node_unknown", "Node not found"]],
  [-1004, ["pcmk_rc_already", "Already in requested state"]],
  [-1003, ["pcmk_rc_bad_nvpair", "Bad name/value pair given"]],
  [-1002, ["pcmk_rc_unknown_format", "Unknown output format"]],
  [-1001, ["pcmk_rc_error", "Error"]],
]);

/** What functions of old answered with: errors of the system, and from 201 on their own. */
const OLD_CODES: Meanings = new Map([
  [201, ["pcmk_err_generic", "Error"]],
  [202, ["pcmk_err_no_quorum", "Operation requires quorum"]],
  [203, ["pcmk_err_schema_validation", "Update does not conform to the configured schema"]],
  [204, ["pcmk_err_transform_failed", "Schema transform failed"]],
  [205, ["pcmk_err_old_data", "Update was older than existing configuration"]],
  [206, ["pcmk_err_diff_failed", "Application of update diff failed"]],
  [207, ["pcmk_err_diff_resync", "Application of update diff failed, requesting full refresh"]],
  [208, ["pcmk_err_cib_modified", "On-disk configuration was manually modified"]],
  [209, ["pcmk_err_cib_backup", "Could not archive previous configuration"]],
  [210, ["pcmk_err_cib_save", "Could not save new configuration to disk"]],
  [211, [NAMELESS, "Schema is already the latest available"]],
  [212, ["pcmk_err_cib_corrupt", "Could not parse on-disk configuration"]],
  [213, ["pcmk_err_multiple", "Resource active on multiple nodes"]],
  [214, ["pcmk_err_node_unknown", "Node not found"]],
  [215, ["pcmk_err_already", "Already in requested state"]],
  [216, ["pcmk_err_bad_nvpair", "Bad name/value pair given"]],
  [217, ["pcmk_err_unknown_format", "Unknown output format"]],
]);

function meaningsFor(isExit: boolean, isReturn: boolean): Meanings {
  if (isExit) return EXIT_CODES;
  const system: Meanings = new Map([[0, ["pcmk_rc_ok", "OK"]], ...SYSTEM_ERRORS]);
  return new Map(isReturn ? [...RETURN_CODES, ...system] : [...system, ...OLD_CODES]);
}

interface Meaning {
  readonly code: number;
  readonly name: string;
  readonly text: string;
}

interface Call {
  readonly isExit: boolean;
  readonly isReturn: boolean;
}

function meaningOf(code: number, { isExit, isReturn }: Call): Meaning {
  // Functions of old answered with the number below zero.
  const looked = isExit || isReturn ? code : Math.abs(code);
  const [name, text] = meaningsFor(isExit, isReturn).get(looked) ?? [];
  if (name !== undefined && text !== undefined) return { code, name, text };
  if (isExit) return { code, name: "CRM_EX_UNKNOWN", text: "Unknown exit status" };
  return { code, name: NAMELESS, text: isReturn && code < 0 ? "Error" : `Unknown error ${looked}` };
}

function listOf({ isExit, isReturn }: Call): readonly Meaning[] {
  return [...meaningsFor(isExit, isReturn)]
    .map(([code, [name, text]]) => ({ code, name, text }))
    .filter(({ name }) => name !== NAMELESS);
}

const NAME_WIDTH = 26;

function numbered({ code, name, text }: Meaning, withName: boolean): string {
  return `${String(code).padStart(5)}: ${withName ? `${name.padEnd(NAME_WIDTH)}  ` : ""}${text}`;
}

/** Exit codes: 0; 64 wrong call. */
export function run(argv: readonly string[]): Promise<number> {
  const options = {
    list: { type: "boolean", short: "l" },
    name: { type: "boolean", short: "n" },
    exit: { type: "boolean", short: "X" },
    rc: { type: "boolean", short: "r" },
    verbose: { type: "boolean", short: "V", multiple: true },
    "output-as": { type: "string" },
    "output-to": { type: "string" },
    "text-fancy": { type: "boolean" },
  } as const;
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
    const isXml = values["output-as"] === "xml";
    const refusal = isXml ? undefined : refuseOutput(values);
    const wrong = positionals.find((word) => !/^-?\d{1,9}$/.test(word));
    const reason = refusal ?? (wrong === undefined ? undefined : `${wrong} is no number`);
    if (reason !== undefined) return Promise.resolve(wrongCall("crm_error", reason, USAGE));
    const call = { isExit: values.exit === true, isReturn: values.rc === true };
    const isList = values.list === true || positionals.length === 0;
    const meanings = isList ? listOf(call) : positionals.map((word) => meaningOf(Number(word), call));
    const withName = values.name === true;
    if (isXml) {
      const found = meanings.map(({ code, name, text }) =>
        xml("result-code", { code: String(code), ...(withName ? { name } : {}), description: text }),
      );
      tellXml("crm_error", argv, found, EXIT.done);
    } else
      for (const each of meanings) {
        const brief = withName ? `${each.name} - ${each.text}` : each.text;
        process.stdout.write(`${isList || values.verbose !== undefined ? numbered(each, withName) : brief}\n`);
      }
    return Promise.resolve(EXIT.done);
  } catch (error) {
    return Promise.resolve(wrongCall("crm_error", error instanceof Error ? error.message : String(error), USAGE));
  }
}
