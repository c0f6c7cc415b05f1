/** Remote nodes and guests: nodes that are there as long as somebody holds a connection to them. */
import { expect, test } from "vitest";
import { cib, edit, failMonitor, lose, meta, nvpairs, primitive, Story, settled } from "./contained-cib.ts";

const there = (node: string) => `<rsc_location id="there" rsc="job" node="${node}" score="100"/>`;
const job = primitive("job", "ocf:heartbeat:Dummy");
const remote = (parameters = "") => primitive("far", "ocf:pacemaker:remote", parameters);
const onRemote = (parameters?: string) => cib({ resources: remote(parameters) + job, constraints: there("far") });

test("a remote node is connected, looked at, and then given work in one transition", () => {
  const story = new Story(onRemote());
  expect(story.breaks(["start far alpha", "monitor job far", "start job far"])).toEqual([]);
});

test("the host of a connection is lost: the remote node is not fenced, its connection is made anew", () => {
  const story = new Story(lose(settled(onRemote()), "alpha"));
  expect(story.done.filter((text) => text.includes("fence "))).toEqual(["fence alpha"]);
  expect(story.done).toContain("start far bravo");
  expect(story.done).not.toContain("stop job far");
  // Its monitors ended with the connection.
  expect(story.breaks(["start far bravo", "monitor job far"])).toEqual([]);
});

test("nobody is left to hold the connection: what runs behind it must be fenced before it starts elsewhere", () => {
  const banned = edit(settled(onRemote()), (text) =>
    text.replace("</constraints>", '<rsc_location id="no" rsc="far" node="bravo" score="-INFINITY"/></constraints>'),
  );
  const story = new Story(lose(banned, "alpha"));
  expect(story.breaks(["fence far", "start job bravo"])).toEqual([]);
});

test("a failed connection: the node is fenced, then the work moves and the connection is renewed", () => {
  const story = new Story(failMonitor(settled(onRemote()), "far"));
  expect(story.breaks(["fence far", "start job alpha"])).toEqual([]);
  expect(story.breaks(["fence far", "start far alpha"])).toEqual([]);
});

const INTERVAL = `<instance_attributes id="far-parameters">${nvpairs("far", { reconnect_interval: "1h" })}
  </instance_attributes>`;

test("with a reconnect interval the connection rests after a failure", () => {
  const story = new Story(failMonitor(settled(onRemote(INTERVAL)), "far"));
  expect(story.done).toContain("fence far");
  expect(story.done).toContain("stop far alpha");
  expect(story.done).not.toContain("start far alpha");
});

test("a remote node that asks to leave is emptied and let go", () => {
  const leaving = edit(settled(onRemote()), (text) =>
    text.replace(
      /(<node_state [^>]*uname="far"[^>]*>)/,
      `$1<transient_attributes id="far"><instance_attributes id="status-far">${nvpairs("status-far", {
        shutdown: "1700000000",
      })}</instance_attributes></transient_attributes>`,
    ),
  );
  const story = new Story(leaving);
  expect(story.done).toEqual(["start job alpha", "stop far alpha", "stop job far"]);
  expect(story.breaks(["stop job far", "stop far alpha"])).toEqual([]);
});

test("whoever may not touch the connection may not touch the node: it is told of its maintenance", () => {
  const unmanaged = edit(settled(onRemote()), (text) =>
    text.replace('type="remote">', `type="remote">${meta("far", { "is-managed": "false" })}`),
  );
  const { decision } = new Story(unmanaged);
  expect(decision.nodes.find(({ name }) => name === "far")).toMatchObject({ maintenance: true });
  expect(decision.transition.actions.map(({ operation }) => operation)).toContain("maintenance_nodes");
});

test("a failed connection in maintenance: nothing is fenced, nothing moves, nobody watches", () => {
  const unmanaged = edit(failMonitor(settled(onRemote()), "far"), (text) =>
    text.replace('type="remote">', `type="remote">${meta("far", { maintenance: "true" })}`),
  );
  const { done, decision } = new Story(unmanaged);
  expect(done).toEqual(["cancel far alpha"]);
  expect(decision.nodes.find(({ name }) => name === "far")).toMatchObject({ maintenance: true });
});

test("without quorum a node is fenced that our own side has held, and nothing of it starts before", () => {
  const alone = edit(failMonitor(settled(onRemote()), "far"), (text) =>
    text
      .replace('have-quorum="1"', 'have-quorum="0"')
      .replace("</cluster_property_set>", `${nvpairs("q", { "no-quorum-policy": "freeze" })}</cluster_property_set>`),
  );
  expect(new Story(alone).breaks(["fence far", "start job alpha"])).toEqual([]);
});

const vm = primitive("vm", "ocf:heartbeat:VirtualDomain", meta("vm", { "remote-node": "inner" }));
const onGuest = () => cib({ resources: vm + job, constraints: there("inner") });

test("a guest goes up behind its machine, and its work behind the connection", () => {
  const story = new Story(onGuest());
  const host = story.done.find((text) => text.startsWith("start vm "))?.split(" ")[2] ?? "";
  expect(story.breaks([`start vm ${host}`, `start inner ${host}`, "start job inner"])).toEqual([]);
});

test("a failed machine: the guest counts as fenced when the machine has stopped", () => {
  const story = new Story(failMonitor(settled(onGuest()), "vm"));
  const host = story.done.find((text) => text.startsWith("stop vm "))?.split(" ")[2] ?? "";
  expect(story.breaks([`stop vm ${host}`, "(fence inner)", `start vm ${host}`, "start job inner"])).toEqual([]);
});

test("a guest that begins anew elsewhere is not looked at any more: nothing outlives the move", () => {
  const up = settled(onGuest());
  const host = new Story(up).decision.resources.find(({ id }) => id === "vm")?.activeOn[0] ?? "";
  const later = edit(up, (text) =>
    text.replace("</resources>", `${primitive("late", "ocf:heartbeat:Dummy")}</resources>`),
  );
  expect(new Story(later).monitors).toContain("monitor late inner");
  const moved = edit(later, (text) =>
    text.replace("</constraints>", `<rsc_location id="off" rsc="vm" node="${host}" score="-INFINITY"/></constraints>`),
  );
  expect(new Story(moved).monitors).not.toContain("monitor late inner");
});

test("a guest whose machine stays down is told as switched off, one whose machine comes back as restarted", () => {
  const kindOf = ({ decision }: Story) =>
    decision.transition.actions.flatMap(({ kind, key }) => (kind === "pseudo" && /^stonith-/.test(key) ? [key] : []));
  const failed = failMonitor(settled(onGuest()), "vm");
  expect(kindOf(new Story(failed))).toEqual(["stonith-inner-reboot"]);
  const kept = edit(failed, (text) =>
    text.replace(
      "</constraints>",
      `${["alpha", "bravo"]
        .map(
          (node) => `<rsc_location id="no-${node}" rsc="vm"
      node="${node}" score="-INFINITY"/>`,
        )
        .join("")}</constraints>`,
    ),
  );
  expect(kindOf(new Story(kept))).toEqual(["stonith-inner-off"]);
});

const group = `<group id="work">${job}${primitive("more", "ocf:heartbeat:Dummy")}</group>`;
const clone = `<clone id="work">${job}</clone>`;
test.each([
  ["a resource", "job", job],
  ["a group", "work", group],
  ["a clone", "work", clone],
])("a failed machine that %s in its guest is ordered behind does not wait for what ends with it", (_, id, what) => {
  const place = `<rsc_location id="there" rsc="${id}" node="inner" score="100"/>`;
  const order = `<rsc_order id="behind" first="vm" then="${id}"/>`;
  const up = settled(cib({ resources: vm + what, constraints: place + order }));
  const story = new Story(failMonitor(up, "vm"));
  expect(story.decision.problems).toEqual([]);
  const host = story.done.find((text) => text.startsWith("stop vm "))?.split(" ")[2] ?? "";
  const back = story.done.find((text) => /^start job(:\d)? inner$/.test(text)) ?? "";
  expect(story.breaks([`stop vm ${host}`, "(fence inner)", `start vm ${host}`, back])).toEqual([]);
  expect(new Story(story.after).done).toEqual([]);
});

test("a machine that is no longer configured takes its guest along, once that is empty", () => {
  const removed = edit(settled(onGuest()), (text) => text.replace(/<primitive id="vm".*?<\/primitive>/s, ""));
  const story = new Story(removed);
  const host = story.done.find((text) => text.startsWith("stop vm "))?.split(" ")[2] ?? "";
  expect(story.breaks(["stop job inner", `stop inner ${host}`, `stop vm ${host}`, `delete vm ${host}`])).toEqual([]);
});
