/**
 * The cryptography that the RMCP+ core asks for, from Node. SHA1 is an HMAC here, in a protocol that old boards
 * speak with nothing better.
 */
import { createCipheriv, createDecipheriv, createHmac } from "node:crypto";
import type { IpmiCrypto } from "../core/ipmi/crypto.ts";

export const ipmiCrypto: IpmiCrypto = {
  hmac: (hash, key, data) => createHmac(hash, key).update(data).digest(),
  encryptAesCbc: (key, iv, data) => createCipheriv("aes-128-cbc", key, iv).setAutoPadding(false).update(data),
  decryptAesCbc: (key, iv, data) => createDecipheriv("aes-128-cbc", key, iv).setAutoPadding(false).update(data),
};
