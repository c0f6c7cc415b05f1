/**
 * What the firmware and the board of a model say of themselves, for every profile that is found by that.
 * Sources: the profiles' own facts; manufacturers by IANA's enterprise numbers, as ipmitool's package has them.
 */
export interface BoardStrings {
  /** `hp/ilo3`. */
  readonly profile: string;
  /** SMBIOS type 1. */
  readonly vendor: string;
  readonly product: string;
  /** What the board answers to Get Device ID. */
  readonly manufacturerId: number;
}

const HP = 11;
const DELL = 674;
const FUJITSU = 10_368;
const SUPERMICRO = 10_876;
const LENOVO = 19_046;
const IBM = 20_301;
/** The board that `ipmi_sim` is without being told otherwise. */
const EMULATED = 0x1291;

export const BOARDS: readonly BoardStrings[] = [
  { profile: "hp/ilo3", vendor: "HP", product: "ProLiant DL380 G7", manufacturerId: HP },
  { profile: "hp/ilo4", vendor: "HP", product: "ProLiant DL380p Gen8", manufacturerId: HP },
  { profile: "hp/ilo4-gen9", vendor: "HP", product: "ProLiant DL360 Gen9", manufacturerId: HP },
  { profile: "hp/ilo5", vendor: "HPE", product: "ProLiant DL380 Gen10 Plus", manufacturerId: HP },
  { profile: "hp/ilo6", vendor: "HPE", product: "ProLiant DL380 Gen11", manufacturerId: HP },
  { profile: "hp/microserver", vendor: "HP", product: "ProLiant MicroServer", manufacturerId: HP },
  { profile: "dell/drac5", vendor: "Dell Inc.", product: "PowerEdge 2950", manufacturerId: DELL },
  { profile: "dell/idrac6", vendor: "Dell Inc.", product: "PowerEdge R610", manufacturerId: DELL },
  { profile: "dell/idrac7", vendor: "Dell Inc.", product: "PowerEdge R620", manufacturerId: DELL },
  { profile: "dell/idrac8", vendor: "Dell Inc.", product: "PowerEdge R630", manufacturerId: DELL },
  { profile: "dell/idrac9", vendor: "Dell Inc.", product: "PowerEdge R640", manufacturerId: DELL },
  { profile: "ibm/imm", vendor: "IBM", product: "System x3650 M3 -[7945AC1]-", manufacturerId: IBM },
  { profile: "lenovo/xcc", vendor: "Lenovo", product: "ThinkSystem SR650", manufacturerId: LENOVO },
  { profile: "fujitsu/irmc", vendor: "FUJITSU", product: "PRIMERGY RX2540 M5", manufacturerId: FUJITSU },
  { profile: "supermicro/ipmi", vendor: "Supermicro", product: "SYS-6016T", manufacturerId: SUPERMICRO },
  { profile: "qemu/lab", vendor: "QEMU", product: "Standard PC (i440FX + PIIX, 1996)", manufacturerId: EMULATED },
];
