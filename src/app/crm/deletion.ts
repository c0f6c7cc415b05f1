/**
 * Deleting in the configure level. What runs is not deleted unless by force: its stop would come by surprise, and where
 * it cannot be stopped it would run on without anybody who looks for it. Fact: crm(8), configure delete, --force.
 */
import type { XmlElement } from "../../base/xml.ts";
import { emptyConfiguration } from "../../cib/crm-syntax/apply.ts";
import { deleteObject } from "../../cib/crm-syntax/edit.ts";
import { cibFile } from "../cib-door.ts";
import { askManager, EXIT, type Session, tellReply } from "./session.ts";

const isForce = (word: string) => word === "--force" || word === "force";

/** Ids of the resources that run; the exit code when nobody knows. A copy is not what runs. */
async function runningResources(session: Session): Promise<readonly string[] | number> {
  if (cibFile() !== undefined) return [];
  const reply = await askManager(session, { kind: "status" });
  if (reply.kind !== "answer") return tellReply(session, reply);
  return reply.value.resources.filter(({ active }) => active.length > 0).map(({ id }) => id);
}

/** Refuses for what runs; undefined when nothing stands against it. */
async function refuseRunning(session: Session, doomed: (id: string) => boolean): Promise<number | undefined> {
  if (session.isForced) return undefined;
  const running = await runningResources(session);
  if (typeof running === "number") return running;
  const found = running.filter(doomed);
  if (found.length === 0) return undefined;
  const names = found.join(" ");
  session.terminal.err(
    `crm: what runs is not deleted: ${names}; stop it first: crm -w resource stop ${names}; or --force\n`,
  );
  session.terminal.err("crm: nothing was changed\n");
  return EXIT.failed;
}

/** `delete [--force] ID...`: with what refers to them; all of it or nothing. */
export async function remove(session: Session, words: readonly string[]): Promise<number> {
  const wanted = words.filter((word) => !isForce(word));
  if (wanted.length === 0) return -1;
  let configuration = session.working ?? emptyConfiguration();
  const gone = new Set<string>();
  const told: string[] = [];
  for (const id of wanted) {
    const deleted = deleteObject(configuration, id);
    if (deleted === undefined) {
      if (gone.has(id)) continue;
      session.terminal.err(`crm: there is no object ${id}; nothing was deleted\n`);
      return EXIT.failed;
    }
    ({ configuration } = deleted);
    for (const each of deleted.ids) gone.add(each);
    const along = deleted.ids.slice(1);
    if (along.length > 0) told.push(`deleted along with ${id}: ${along.join(", ")}\n`);
  }
  const refused = wanted.length < words.length ? undefined : await refuseRunning(session, (id) => gone.has(id));
  if (refused !== undefined) return refused;
  session.working = configuration;
  for (const line of told) session.terminal.out(line);
  return EXIT.done;
}

/** `erase [--force] [nodes]` */
export async function erase(session: Session, words: readonly string[], working: XmlElement): Promise<number> {
  const [what, ...more] = words.filter((word) => !isForce(word));
  if (more.length > 0 || (what !== undefined && what !== "nodes")) return -1;
  const isForced = words.some(isForce);
  const refused = isForced ? undefined : await refuseRunning(session, () => true);
  if (refused !== undefined) return refused;
  const nodes = working.children.filter(({ name }) => name === "nodes" && what !== "nodes");
  const empty = emptyConfiguration();
  const children = empty.children.map((section) => nodes.find(({ name }) => name === section.name) ?? section);
  session.working = { ...empty, children };
  return EXIT.done;
}
