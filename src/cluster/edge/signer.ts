/** HMAC-SHA-256 for packets, from Node's crypto; keys are derived once, per cluster. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { AuthKeys } from "../../cib/authkeys.ts";
import { MAC_BYTES, type Signer } from "../core/wire/packet.ts";

/** `cluster`: part of the key, so that clusters that share a key file do not hear each other. */
export function createSigner({ signing, keys }: AuthKeys, cluster: string): Signer {
  const derived = new Map(
    keys.map(({ number, secret }) => [
      number,
      createHmac("sha256", secret).update(`gemel packet 1 ${cluster}`).digest(),
    ]),
  );
  const macOf = (key: Uint8Array, signed: Uint8Array) =>
    createHmac("sha256", key).update(signed).digest().subarray(0, MAC_BYTES);
  const own = derived.get(signing);
  if (own === undefined) throw new Error(`no key ${signing}`);
  return {
    keyNumber: signing,
    sign: (signed) => macOf(own, signed),
    verify(keyNumber, signed, mac) {
      const key = derived.get(keyNumber);
      return key !== undefined && mac.length === MAC_BYTES && timingSafeEqual(macOf(key, signed), mac);
    },
  };
}
