/**
 * The seal of packets, from Node's crypto; keys are derived once, per cluster.
 * `sha256`: the payload as it is, then HMAC-SHA-256 over header and payload, cut to 16 bytes (RFC 2104, section 5).
 * `aes256-gcm`: nonce, ciphertext, tag, with the header as associated data (NIST SP 800-38D). The nonce is an HMAC of
 * header and payload under a key of its own: a counter would come again when a node's disk is restored from a backup,
 * and a random number when a virtual machine is; this one comes again only for the very same packet.
 */
import { createCipheriv, createDecipheriv, createHmac, timingSafeEqual } from "node:crypto";
import type { AuthKey, AuthKeys } from "../../cib/authkeys.ts";
import { MAC_BYTES, type Signer } from "../core/wire/packet.ts";

/** SP 800-38D, section 5.2.1.1. */
const NONCE_BYTES = 12;

interface Seal {
  seal(header: Uint8Array, payload: Uint8Array): Uint8Array;
  open(header: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
}

const derive = ({ secret }: AuthKey, purpose: string, cluster: string): Buffer =>
  createHmac("sha256", secret).update(`gemel ${purpose} 1 ${cluster}`).digest();

const hmac = (key: Uint8Array, header: Uint8Array, payload: Uint8Array, length: number): Buffer =>
  createHmac("sha256", key).update(header).update(payload).digest().subarray(0, length);

function signingSeal(key: Buffer): Seal {
  return {
    seal: (header, payload) => Buffer.concat([payload, hmac(key, header, payload, MAC_BYTES)]),
    open(header, sealed) {
      const payload = sealed.subarray(0, -MAC_BYTES);
      return timingSafeEqual(hmac(key, header, payload, MAC_BYTES), sealed.subarray(-MAC_BYTES)) ? payload : undefined;
    },
  };
}

function hidingSeal(key: Buffer, nonceKey: Buffer): Seal {
  const options = { authTagLength: MAC_BYTES };
  return {
    seal(header, payload) {
      const nonce = hmac(nonceKey, header, payload, NONCE_BYTES);
      const cipher = createCipheriv("aes-256-gcm", key, nonce, options).setAAD(header);
      return Buffer.concat([nonce, cipher.update(payload), cipher.final(), cipher.getAuthTag()]);
    },
    open(header, sealed) {
      if (sealed.length < NONCE_BYTES + MAC_BYTES) return undefined;
      const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, NONCE_BYTES), options);
      decipher.setAAD(header).setAuthTag(sealed.subarray(-MAC_BYTES));
      const payload = decipher.update(sealed.subarray(NONCE_BYTES, -MAC_BYTES));
      try {
        return Buffer.concat([payload, decipher.final()]);
      } catch {
        // The tag is wrong: forged, or of another key.
        return undefined;
      }
    },
  };
}

function sealOf(key: AuthKey, cluster: string): Seal {
  if (key.method === "sha256") return signingSeal(derive(key, "packet", cluster));
  return hidingSeal(derive(key, "encryption", cluster), derive(key, "nonce", cluster));
}

/** `cluster`: part of the key, so that clusters that share a key file do not hear each other. */
export function createSigner({ signing, keys }: AuthKeys, cluster: string): Signer {
  const seals = new Map(keys.map((key) => [key.number, sealOf(key, cluster)]));
  const own = seals.get(signing);
  if (own === undefined) throw new Error(`no key ${signing}`);
  return {
    keyNumber: signing,
    seal: (header, payload) => own.seal(header, payload),
    open: (keyNumber, header, sealed) => seals.get(keyNumber)?.open(header, sealed),
  };
}
