/**
 * The frames that tell a network where an address lives now: gratuitous ARP and unsolicited neighbour advertisement.
 * Facts: RFC 826; RFC 5227, section 3 (announcement: sender and target are the address, target hardware address
 * zero); RFC 4861, sections 4.4 and 7.2.6 (override flag, hop limit 255; the kernel fills in the checksum).
 */
const BROADCAST = [255, 255, 255, 255, 255, 255];
const ETHERTYPE_ARP = [8, 6];

/** A whole Ethernet frame. Some switches and hosts learn only from requests, others only from replies: send both. */
export function gratuitousArp(kind: "request" | "reply", mac: readonly number[], ip: readonly number[]): Uint8Array {
  const operation = kind === "request" ? 1 : 2;
  const target = kind === "request" ? [0, 0, 0, 0, 0, 0] : BROADCAST;
  const header = [0, 1, 8, 0, 6, 4, 0, operation];
  return Uint8Array.from([...BROADCAST, ...mac, ...ETHERTYPE_ARP, ...header, ...mac, ...ip, ...target, ...ip]);
}

/** The ICMPv6 message, without its checksum. */
export function neighbourAdvertisement(mac: readonly number[], ip: readonly number[]): Uint8Array {
  const override = 0x20;
  return Uint8Array.from([136, 0, 0, 0, override, 0, 0, 0, ...ip, 2, 1, ...mac]);
}
