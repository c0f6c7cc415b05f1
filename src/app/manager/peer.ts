/** Who is at the other end of a connection: by the kernel's word, never by the client's. */
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import type { Person } from "../../cluster/core/access/acl.ts";
import { peerCredentials } from "../../hw/edge/native.ts";

/** The group of the field whose members may talk to the cluster. */
export const CLUSTER_GROUP = "haclient";

interface Entry {
  readonly name: string;
  readonly id: number;
  readonly rest: readonly string[];
}

/** Lines of /etc/passwd or /etc/group; a file that is not there has none. */
function entries(file: string): readonly Entry[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return [];
  }
  return text.split("\n").flatMap((line) => {
    const [name = "", , id = "", ...rest] = line.split(":");
    return name === "" ? [] : [{ name, id: Number(id), rest }];
  });
}

/** Its number; undefined where there is no such group. */
export function groupId(name: string): number | undefined {
  return entries("/etc/group").find((group) => group.name === name)?.id;
}

/** Node keeps the descriptor to itself; there is no other way to it. */
function descriptorOf(socket: Socket): number | undefined {
  const handle: unknown = Reflect.get(socket, "_handle");
  const fd: unknown = typeof handle === "object" && handle !== null ? Reflect.get(handle, "fd") : undefined;
  return typeof fd === "number" && fd >= 0 ? fd : undefined;
}

const NOBODY: Person = { uid: 65_534, user: "nobody", groups: [] };

/** Whoever cannot be told is nobody. */
export function personAt(socket: Socket): Person {
  const fd = descriptorOf(socket);
  if (fd === undefined) return NOBODY;
  const { uid, gid } = peerCredentials(fd);
  const user = entries("/etc/passwd").find(({ id }) => id === uid)?.name ?? String(uid);
  const groups = entries("/etc/group")
    .filter(({ id, rest }) => id === gid || (rest[0] ?? "").split(",").includes(user))
    .map(({ name }) => name);
  return { uid, user, groups };
}
