/**
 * Long messages between managers, packed: the CIB is XML with few words, and a serial line alone carries 2 KB/s or
 * less. Only for a peer that says in its acknowledgements that it unpacks; what is packed begins with a letter with
 * which no JSON of an object begins.
 */
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { MESSAGE_LENGTH_MAX } from "../../cluster/core/messaging/channel.ts";

/** Shorter ones fit half a frame as they are, and gain next to nothing. */
const PACKED_FROM = 400;
const PACKED = "z";

/** Longer ones take the processor for longer than a line with time for them needs: Ethernet carries them at once. */
const PACKED_MAX = 1024 * 1024;

export function packText(text: string): string {
  if (text.length < PACKED_FROM || text.length > PACKED_MAX) return text;
  return PACKED + deflateRawSync(text).toString("base64");
}

/** Throws for what no `packText` has made, and for more than a message may be. */
export function unpackText(text: string): string {
  if (!text.startsWith(PACKED)) return text;
  const bytes = Buffer.from(text.slice(PACKED.length), "base64");
  return inflateRawSync(bytes, { maxOutputLength: MESSAGE_LENGTH_MAX }).toString("utf8");
}
