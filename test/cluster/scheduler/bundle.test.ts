/** Bundles: containers, their addresses, the connections into them and what runs inside. One scenario a story. */
import { expect, test } from "vitest";
import { containerParameters } from "../../../src/cluster/core/scheduler/facts/bundle-container.ts";
import { addressOf, bundleSpec } from "../../../src/cluster/core/scheduler/facts/bundle-spec.ts";
import { cib, edit, failMonitor, lose, meta, nvpairs, primitive, read, Story, settled } from "./contained-cib.ts";

const bundle = (container: string, network: string, inside = "", options = "") =>
  `<bundle id="web">${options}${container}${network}${inside}</bundle>`;
const httpd = primitive("httpd", "ocf:heartbeat:apache");
const ADDRESSES = '<network ip-range-start="10.0.0.5"/>';
const twice = bundle('<docker image="web" replicas="2"/>', ADDRESSES, httpd);

test("a bundle comes up replica by replica: address, container, connection, the resource inside", () => {
  const story = new Story(cib({ resources: twice }));
  expect(story.done).toEqual([
    "start fence alpha",
    "start httpd:0 web-0",
    "start httpd:1 web-1",
    "start web-0 bravo",
    "start web-1 alpha",
    "start web-docker-0 bravo",
    "start web-docker-1 alpha",
    "start web-ip-10.0.0.5 bravo",
    "start web-ip-10.0.0.6 alpha",
  ]);
  const chain = ["start web-ip-10.0.0.5 bravo", "start web-docker-0 bravo", "start web-0 bravo", "start httpd:0 web-0"];
  expect(story.breaks(chain)).toEqual([]);
});

test("a replica waits for looks at the others on its host; a connection is looked for in its container", () => {
  const story = new Story(cib({ resources: twice }));
  expect(story.breaks(["monitor web-docker-1 bravo", "start web-docker-0 bravo"])).toEqual([]);
  expect(story.breaks(["start web-docker-0 bravo", "monitor web-0 alpha", "start web-0 bravo"])).toEqual([]);
});

test("a bundle that runs is left alone", () => {
  expect(new Story(settled(cib({ resources: twice }))).decision.transition.actions).toEqual([]);
});

test("a failed container: its guest is fenced by the recovery, the other replica is not touched", () => {
  const story = new Story(failMonitor(settled(cib({ resources: twice })), "web-docker-0"));
  expect(story.done).toEqual([
    "(fence web-0)",
    "start httpd:0 web-0",
    "start web-0 bravo",
    "start web-docker-0 bravo",
    "stop web-0 bravo",
    "stop web-docker-0 bravo",
  ]);
  expect(story.breaks(["stop web-docker-0 bravo", "(fence web-0)", "start web-docker-0 bravo"])).toEqual([]);
});

test("what fails inside takes its container along", () => {
  const story = new Story(failMonitor(settled(cib({ resources: twice })), "httpd:0"));
  expect(story.done).toContain("stop web-docker-0 bravo");
  expect(story.done).not.toContain("stop web-docker-1 alpha");
});

test("the host is lost: it is fenced before the replica and its address come up elsewhere", () => {
  const once = bundle('<podman image="web"/>', ADDRESSES, httpd);
  const story = new Story(lose(settled(cib({ resources: once })), "bravo"));
  expect(story.done).toContain("fence bravo");
  const chain = ["fence bravo", "start web-ip-10.0.0.5 alpha", "start web-podman-0 alpha", "start httpd:0 web-0"];
  expect(story.breaks(chain)).toEqual([]);
});

test("what must be with a bundle that cannot start, for an order or for want of quorum, does not start alone", () => {
  const beside = primitive("vip", "ocf:heartbeat:IPaddr2", meta("vip", { requires: "nothing" }));
  const first = primitive("first", "ocf:pacemaker:Dummy", meta("first", { "target-role": "Stopped" }));
  const resources = `${twice}${beside}${first}`;
  const constraints = '<rsc_colocation id="with" rsc="vip" with-rsc="web" score="INFINITY"/>';
  const held = `${constraints}<rsc_order id="after" first="first" then="web"/>`;
  expect(new Story(cib({ resources, constraints: held })).done).toEqual(["start fence alpha"]);
  const alone = edit(cib({ resources, constraints }), (text) => text.replace('have-quorum="1"', 'have-quorum="0"'));
  expect(new Story(alone).done).not.toContain("start vip alpha");
});

const database = bundle(
  '<docker image="db" replicas="2" promoted-max="1"/>',
  '<network control-port="3123"/>',
  primitive("db", "ocf:heartbeat:galera"),
  meta("web", { "container-attribute-target": "host" }),
);
const ranks = { alpha: { "master-db": "5" }, bravo: { "master-db": "20" } };

test("the agent's word on the host decides who is promoted, and who must be beside that one is", () => {
  const constraints = `<rsc_colocation id="with" rsc="vip" with-rsc="web" with-rsc-role="Promoted" score="INFINITY"/>
    <rsc_order id="after" first="web" first-action="promote" then="vip" then-action="start"/>`;
  const resources = database + primitive("vip", "ocf:heartbeat:IPaddr2");
  const story = new Story(cib({ resources, constraints, attributes: ranks }));
  expect(story.done).toContain("start web-docker-0 bravo");
  expect(story.breaks(["start db:0 web-0", "promote db:0 web-0", "start vip bravo"])).toEqual([]);
});

test("target-role Stopped empties a bundle from the inside", () => {
  const running = settled(cib({ resources: twice }));
  const stopped = edit(running, (text) =>
    text.replace('<bundle id="web">', `<bundle id="web">${meta("web", { "target-role": "Stopped" })}`),
  );
  const chain = ["stop httpd:0 web-0", "stop web-0 bravo", "stop web-docker-0 bravo", "stop web-ip-10.0.0.5 bravo"];
  expect(new Story(stopped).breaks(chain)).toEqual([]);
});

test("a bundle into which nothing leads is left out, and that is said", () => {
  const { decision } = new Story(cib({ resources: bundle('<docker image="web"/>', "", httpd) }));
  expect(decision.resources.map(({ id }) => id)).toEqual(["fence"]);
  expect(decision.problems).toMatchObject([
    { severity: "error", place: '/cib/configuration/resources/bundle[@id="web"]' },
  ]);
});

test("a bundle without a place: its connections are looked for in vain, and of its start nothing is told", () => {
  const nowhere = edit(cib({ resources: twice }), (text) =>
    text.replace(
      "</cluster_property_set>",
      `${nvpairs("opt-in", { "symmetric-cluster": "false" })}</cluster_property_set>`,
    ),
  );
  const keys = new Story(nowhere).decision.blocked.map(({ key }) => key);
  expect(keys).toContain("web-0_monitor_0");
  expect(keys).not.toContain("web_start_0");
  expect(keys).not.toContain("web_running_0");
});

test("without a resource inside the containers are the service", () => {
  const story = new Story(cib({ resources: bundle('<podman image="web" replicas="2"/>', "") }));
  expect(story.done).toEqual(["start fence alpha", "start web-podman-0 bravo", "start web-podman-1 alpha"]);
});

const specOf = (text: string) => {
  const spec = bundleSpec(read(text));
  if (spec === undefined) throw new Error("unusable");
  return spec;
};

test("addresses are counted on, over the end of a /24", () => {
  const spec = specOf('<bundle id="b"><docker replicas="3"/><network ip-range-start="10.0.0.253"/></bundle>');
  expect([0, 1, 2].map((index) => addressOf(spec, index))).toEqual(["10.0.0.253", "10.0.0.254", "10.0.1.1"]);
});

test("two replicas on one host need addresses of their own", () => {
  const network = '<network control-port="3121"/>';
  const spec = specOf(`<bundle id="b"><docker replicas="2" replicas-per-host="2"/>${network}${httpd}</bundle>`);
  expect([spec.perHostConfigured, spec.perHost]).toEqual([2, 1]);
});

test("the container's options, word for word", () => {
  const spec = specOf(`<bundle id="b"><docker image="i" replicas="2" options="--log=x"/>
    <network ip-range-start="10.0.0.1"><port-mapping id="pm" port="80" internal-port="8080"/></network>
    <storage><storage-mapping id="m1" source-dir="/a" target-dir="/b" options="ro"/>
    <storage-mapping id="m2" source-dir-root="/srv" target-dir="/www"/></storage>${httpd}</bundle>`);
  expect(containerParameters(spec, 1)).toMatchObject({
    image: "i",
    mount_points: "/srv/b-1,/var/log/pacemaker/bundles/b-1",
    run_cmd: "/usr/sbin/pacemaker-remoted",
    run_opts:
      " --restart=no -h b-1 -e PCMK_stderr=1 -e PCMK_remote_port=3121 -v /a:/b:ro -v /srv/b-1:/www" +
      " -v /etc/pacemaker/authkey:/etc/pacemaker/authkey -v /var/log/pacemaker/bundles/b-1:/var/log" +
      " -p 10.0.0.2:80:8080 -p 10.0.0.2:3121:3121 --log=x  --add-host=b-0:10.0.0.1 --add-host=b-1:10.0.0.2",
  });
});
