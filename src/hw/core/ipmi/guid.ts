/**
 * Whether a board's GUID is the UUID that was expected. Vendors send the same 16 bytes in three orders: as printed,
 * with the first three fields swapped as SMBIOS stores them, and wholly reversed as IPMI v2.0 section 20.8 has it.
 */

/** Both as hex, with or without dashes. */
export function isSameGuid(seen: string, expected: string): boolean {
  const board = seen.toLowerCase().replaceAll("-", "");
  const bytes = expected.toLowerCase().replaceAll("-", "").match(/../g) ?? [];
  const reversed = (from: number, to: number) => bytes.slice(from, to).reverse();
  const orders = [
    bytes,
    [...reversed(0, 4), ...reversed(4, 6), ...reversed(6, 8), ...bytes.slice(8)],
    [...bytes].reverse(),
  ];
  return bytes.length === 16 && orders.some((order) => order.join("") === board);
}
