/**
 * One emulated machine as QEMU's arguments. Pure. Measured facts behind them: no KVM; `tb-size` bounds the buffer for
 * translated code (660 MB otherwise). The HPET stays: without it the guest's clock is the ACPI timer, which wraps every
 * 4.7 s and jumps by as much on a busy host (seen). i6300esb is the hardware watchdog; COM1 is the console, COM2 the
 * null-modem line.
 */
import path from "node:path";
import { macOf } from "../addresses.ts";
import { type NodeName, numberOf } from "../names.ts";

const TRANSLATION_BUFFER_MB = 128;

export interface MachineParts {
  readonly node: NodeName;
  /** Holds the machine's sockets and logs. */
  readonly directory: string;
  readonly memoryMb: number;
  /** Socket of an NBD server each: the system disk and the mirrored disk. */
  readonly systemDisk: string;
  readonly mirrorDisk: string;
  /** A raw file that both machines have open. */
  readonly sharedDisk: string;
  /** Ports of the hubs and of the cable. */
  readonly links: { readonly service: string; readonly private: string; readonly serial: string };
  /** TCP port of the loopback where the BMC waits for its machine. */
  readonly bmcPort: number;
  /** Kernel and initramfs for a start without the boot loader; only tests of the lab itself use it. */
  readonly kernel?: { readonly file: string; readonly initramfs: string; readonly cmdline: string };
}

function disk(id: string, server: string): string[] {
  const file = { driver: "nbd", "node-name": `${id}-nbd`, server: { type: "unix", path: server } };
  return [
    ...["-blockdev", JSON.stringify(file)],
    ...["-blockdev", JSON.stringify({ driver: "raw", "node-name": id, file: `${id}-nbd` })],
    ...["-device", `virtio-blk-pci,drive=${id},id=${id}-disk,serial=${id},write-cache=on,werror=report,rerror=report`],
  ];
}

/** Its controller in the machine; unplugged and plugged in again it is the same one. */
export const SHARED_DEVICE = {
  driver: "virtio-blk-pci",
  drive: "shared",
  id: "shared-disk",
  serial: "shared",
  "share-rw": true,
  "write-cache": "off",
  werror: "report",
  rerror: "report",
} as const;

function sharedDisk(file: string): string[] {
  const opened = {
    driver: "file",
    "node-name": "shared-file",
    filename: file,
    locking: "off",
    aio: "threads",
    cache: { direct: true, "no-flush": false },
  };
  return [
    ...["-blockdev", JSON.stringify(opened)],
    ...["-blockdev", JSON.stringify({ driver: "raw", "node-name": "shared", file: "shared-file" })],
    ...["-device", JSON.stringify(SHARED_DEVICE)],
  ];
}

function network(node: NodeName, name: "service" | "private", socket: string): string[] {
  return [
    ...["-netdev", `stream,id=${name},server=off,addr.type=unix,addr.path=${socket}`],
    ...["-device", `virtio-net-pci,netdev=${name},id=${name}-nic,mac=${macOf(node, name)}`],
  ];
}

/** The system UUID of a node, as its firmware tells it. */
export function systemUuidOf(node: NodeName): string {
  return `67656d65-6c00-4000-8000-00000000000${numberOf(node)}`;
}

export function qemuArguments(parts: MachineParts): string[] {
  const { node, directory, links, kernel } = parts;
  const at = (file: string) => path.join(directory, file);
  const product = "type=1,manufacturer=Gemel Lab,product=Emulated Appliance,version=1";
  return [
    ...["-name", node, "-machine", "pc", "-accel", `tcg,thread=multi,tb-size=${TRANSLATION_BUFFER_MB}`],
    ...["-cpu", "max", "-smp", "1", "-m", `${parts.memoryMb}`, "-nodefaults", "-display", "none", "-no-user-config"],
    ...["-smbios", `${product},serial=LAB-${node.toUpperCase()},uuid=${systemUuidOf(node)}`],
    ...["-qmp", `unix:${at("qmp.sock")},server=on,wait=off`, "-qmp", `unix:${at("events.sock")},server=on,wait=off`],
    ...[
      "-chardev",
      `socket,id=console,path=${at("console.sock")},server=on,wait=off,logfile=${at("console.log")},logappend=on`,
      "-serial",
      "chardev:console",
    ],
    ...["-chardev", `socket,id=null-modem,path=${links.serial},reconnect=1`, "-serial", "chardev:null-modem"],
    ...["-device", "virtio-serial-pci", "-chardev", `socket,id=lab,path=${at("lab.sock")},server=on,wait=off`],
    ...["-device", "virtserialport,chardev=lab,name=gemel.lab"],
    ...["-device", "virtio-rng-pci", "-device", "i6300esb", "-action", "watchdog=reset"],
    ...network(node, "service", links.service),
    ...network(node, "private", links.private),
    ...["-netdev", "user,id=management"],
    ...["-device", `virtio-net-pci,netdev=management,id=management-nic,mac=${macOf(node, "management")}`],
    ...disk("system", parts.systemDisk),
    ...disk("mirror", parts.mirrorDisk),
    ...sharedDisk(parts.sharedDisk),
    ...["-chardev", `socket,id=bmc,host=127.0.0.1,port=${parts.bmcPort},reconnect=1`],
    ...["-device", "ipmi-bmc-extern,id=bmc0,chardev=bmc", "-device", "isa-ipmi-kcs,bmc=bmc0,irq=5"],
    ...(kernel === undefined ? [] : ["-kernel", kernel.file, "-initrd", kernel.initramfs, "-append", kernel.cmdline]),
  ];
}
