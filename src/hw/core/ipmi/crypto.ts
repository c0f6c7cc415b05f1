/**
 * The pure functions of cryptography that RMCP+ needs, injected because a core imports nothing of Node;
 * `hw/edge/ipmi-crypto.ts` provides them. And the cipher suites: which of them we speak, and which we refuse.
 * Fact: IPMI v2.0 rev. 1.1, table 22-20 "Cipher Suite IDs"; suite 17 by the errata of 2013.
 */
export type IpmiHash = "sha1" | "sha256";

export interface IpmiCrypto {
  hmac(hash: IpmiHash, key: Uint8Array, data: Uint8Array): Uint8Array;
  /** AES-128 in CBC mode without padding; `data` is a multiple of 16 bytes. */
  encryptAesCbc(key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array;
  /** AES-128 in CBC mode without padding; `data` is a multiple of 16 bytes. */
  decryptAesCbc(key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array;
}

export interface CipherSuite {
  readonly id: 3 | 17;
  readonly hash: IpmiHash;
  readonly authentication: number;
  readonly integrity: number;
  readonly confidentiality: number;
  /** Length of the hash: of the key exchange codes. */
  readonly digestBytes: number;
  /** Length of the code behind each packet, and of the check in RAKP 4. */
  readonly codeBytes: number;
}

/** 3: RAKP-HMAC-SHA1, HMAC-SHA1-96, AES-CBC-128. 17: the same with SHA256. Both authenticate and encrypt. */
export const CIPHER_SUITES: Readonly<Record<3 | 17, CipherSuite>> = {
  3: { id: 3, hash: "sha1", authentication: 1, integrity: 1, confidentiality: 1, digestBytes: 20, codeBytes: 12 },
  17: { id: 17, hash: "sha256", authentication: 3, integrity: 4, confidentiality: 1, digestBytes: 32, codeBytes: 16 },
};
