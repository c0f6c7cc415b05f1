/** The fencing configuration out of a CIB: what becomes of devices, levels and options, good and bad. */
import { describe, expect, test } from "vitest";
import { parseXml, type XmlElement } from "../../src/base/xml.ts";
import { levelsFor, roundBoundMs } from "../../src/fencing/core/configuration.ts";
import { parseDurationMs } from "../../src/fencing/core/duration.ts";
import { readFencingConfiguration } from "../../src/fencing/core/read-configuration.ts";
import { CATALOGUE } from "../../src/fencing/drivers/index.ts";

const pairs = (values: Readonly<Record<string, string>>) =>
  Object.entries(values)
    .map(([name, value]) => `<nvpair name="${name}" value="${value}"/>`)
    .join("");

function primitive(id: string, type: string, parameters: Readonly<Record<string, string>>, meta = ""): string {
  const attributes = `<instance_attributes>${pairs(parameters)}</instance_attributes>`;
  return `<primitive id="${id}" class="stonith" type="${type}">${attributes}${meta}</primitive>`;
}

function cib(resources: string, more: { options?: string; topology?: string; constraints?: string } = {}): XmlElement {
  const read = parseXml(`<cib><configuration>
    <crm_config><cluster_property_set>${more.options ?? ""}</cluster_property_set></crm_config>
    <nodes><node uname="alpha"/><node uname="bravo"/></nodes>
    <resources>${resources}</resources><constraints>${more.constraints ?? ""}</constraints>
    <fencing-topology>${more.topology ?? ""}</fencing-topology></configuration></cib>`);
  if (read.kind !== "xml") throw new Error(read.reason);
  return read.root;
}

const board = { host: "192.0.2.1", user: "admin", secret: "alpha-bmc" };
const good = primitive("fence-alpha", "ipmi-lan", { ...board, pcmk_host_list: "alpha" });
const read = (root: XmlElement) => readFencingConfiguration(root, CATALOGUE);
const places = (root: XmlElement) => read(root).problems.map(({ place, severity }) => `${severity} ${place}`);

describe("devices", () => {
  test("a board with its node and its own times", () => {
    const times = { pcmk_off_timeout: "90", pcmk_off_retries: "3", pcmk_delay_base: "alpha:2s;bravo:0" };
    const { configuration, problems } = read(
      cib(primitive("fence-alpha", "ipmi-lan", { ...board, ...times, pcmk_host_list: "alpha" })),
    );
    expect(problems).toEqual([]);
    expect(configuration.devices).toMatchObject([
      {
        id: "fence-alpha",
        driver: "ipmi-lan",
        parameters: board,
        targets: ["alpha"],
        timeoutMs: { off: 90_000, on: 60_000 },
        tries: { off: 3, on: 2 },
        delayBaseMs: { alpha: 2_000, bravo: 0 },
      },
    ]);
    expect(roundBoundMs(levelsFor(configuration, "alpha", "bravo"))).toBe(270_000);
  });

  test("a template and borrowed pairs make a device like any other; what it says itself wins", () => {
    const template = primitive("bmc", "ipmi-lan", { ...board, user: "template" })
      .replaceAll("primitive", "template")
      .replace("<instance_attributes>", '<instance_attributes id="login">')
      .replace('name="secret"', 'id="entry" name="secret"');
    const own = pairs({ host: "192.0.2.2", user: "own", pcmk_host_list: "bravo" });
    const templated = `<primitive id="f1" template="bmc"><instance_attributes>${own}</instance_attributes></primitive>`;
    const pair = primitive("f2", "ipmi-lan", { host: "192.0.2.3", user: "admin", pcmk_host_list: "alpha" });
    const byPair = pair.replace("</instance_attributes>", '<nvpair id-ref="entry"/></instance_attributes>');
    const list = pairs({ host: "192.0.2.4", pcmk_host_list: "alpha" });
    const bySet = primitive("f3", "ipmi-lan", {}, `<instance_attributes id-ref="login"/>`).replace(
      "<instance_attributes></instance_attributes>",
      `<instance_attributes>${list}</instance_attributes>`,
    );
    const { configuration, problems } = read(cib(template + templated + byPair + bySet));
    expect(problems).toEqual([]);
    expect(configuration.devices.map(({ id, parameters, targets }) => [id, parameters, targets])).toEqual([
      ["f1", { ...board, host: "192.0.2.2", user: "own" }, ["bravo"]],
      ["f2", { ...board, host: "192.0.2.3" }, ["alpha"]],
      ["f3", { ...board, host: "192.0.2.4", user: "template" }, ["alpha"]],
    ]);
  });

  test.each([
    ['<rsc_location rsc="fence-alpha" node="alpha" score="-INFINITY"/>', ["alpha"]],
    ['<rsc_location rsc="fence-alpha" node="alpha" score="-1000"/>', []],
    ['<rsc_location rsc="other" node="alpha" score="-INFINITY"/>', []],
    [
      '<rsc_location rsc="fence-alpha"><rule score="-INFINITY">' +
        '<expression attribute="#uname" operation="eq" value="alpha"/></rule></rsc_location>',
      ["alpha"],
    ],
    [
      '<rsc_location rsc="fence-alpha"><rule score="-INFINITY">' +
        '<expression attribute="#uname" operation="ne" value="alpha"/></rule></rsc_location>',
      [],
    ],
  ])("kept from a node by %s", (constraints, banned) => {
    expect(read(cib(good, { constraints })).configuration.devices).toMatchObject([{ bannedFrom: banned }]);
  });

  test("options are read from the set that the scheduler reads them from", () => {
    const set = (id: string, score: string, options: Readonly<Record<string, string>>) =>
      `</cluster_property_set><cluster_property_set id="${id}" score="${score}">${pairs(options)}`;
    const later = set("cib-bootstrap-options", "0", { "stonith-enabled": "#default", "stonith-timeout": "90s" });
    const options = set("x", "9", { "stonith-enabled": "false", "stonith-timeout": "30s" }) + later;
    const { configuration } = read(cib(good, { options }));
    expect([configuration.isEnabled, configuration.timeoutMs]).toEqual([false, 90_000]);
  });

  test("an infinite score of a set of options is the highest", () => {
    const set = (id: string, score: string, time: string) =>
      `</cluster_property_set><cluster_property_set id="${id}" score="${score}">${pairs({ "stonith-timeout": time })}`;
    const options = set("x", "9", "45s") + set("y", "INFINITY", "30s");
    expect(read(cib(good, { options })).configuration.timeoutMs).toBe(30_000);
  });

  test("options that a set borrows from another are read, as the scheduler reads them", () => {
    const options =
      '</cluster_property_set><cluster_property_set id="x" score="9"><nvpair id-ref="lent" name="stonith-timeout"/>' +
      '</cluster_property_set><cluster_property_set id="y"><nvpair id="lent" name="dc-deadtime" value="45s"/>';
    expect(read(cib(good, { options })).configuration.timeoutMs).toBe(45_000);
  });

  test("parameters that a rule decides on are refused: read as if it held, it could be another node's board", () => {
    const ruled = good.replace("<instance_attributes>", '<instance_attributes><rule score="0"/>');
    expect(places(cib(ruled))).toContain("error primitive fence-alpha");
    expect(read(cib(ruled)).configuration.devices).toEqual([]);
  });

  test.each([
    ["1 action at a time", {}, { actionLimit: 1 }, []],
    ["as many as written", { pcmk_action_limit: "3" }, { actionLimit: 3 }, []],
    ["any number", { pcmk_action_limit: "-1" }, { actionLimit: Number.MAX_SAFE_INTEGER }, []],
    ["1 where it is no number", { pcmk_action_limit: "0" }, { actionLimit: 1 }, ["error primitive pdu"]],
    ["every node by host_check none", { pcmk_host_check: "none" }, { targets: ["alpha", "bravo"] }, []],
    ["no misspelt one", { pcmk_delay_bas: "5s" }, { delayBaseMs: {} }, ["error primitive pdu"]],
    ["no other word for off", { pcmk_off_action: "reboot" }, {}, ["error primitive pdu"]],
    ["a cycle as the reboot that it is", { pcmk_reboot_action: "cycle" }, { staysOff: false }, []],
    [
      "the plug by the name that is said",
      { pcmk_host_argument: "uuid" },
      { perTarget: { alpha: { uuid: "alpha" } } },
      [],
    ],
    ["an agent without plugs", { pcmk_host_argument: "none" }, { perTarget: {} }, []],
    ["no dynamic list", { pcmk_host_check: "dynamic-list" }, { targets: ["alpha"] }, ["error primitive pdu"]],
  ] as const)("%s", (_, more, expected, complaints) => {
    const root = cib(primitive("pdu", "fence_apc", { ip: "192.0.2.9", pcmk_host_list: "alpha", ...more }));
    expect(read(root).configuration.devices[0]).toMatchObject(expected);
    expect(places(root)).toEqual(complaints);
  });

  test("what is said for reboot holds for off and on", () => {
    const times = { pcmk_reboot_timeout: "40s", pcmk_reboot_retries: "1", pcmk_on_timeout: "50s" };
    const root = cib(primitive("f", "ipmi-lan", { ...board, ...times, pcmk_host_list: "alpha" }));
    expect(read(root).configuration.devices[0]).toMatchObject({
      timeoutMs: { off: 40_000, on: 50_000 },
      tries: { off: 1, on: 1 },
    });
  });

  test("its target by pcmk_host_map, too", () => {
    const root = cib(primitive("f", "ipmi-lan", { ...board, pcmk_host_map: "alpha:1" }));
    expect(read(root).configuration.devices[0]?.targets).toEqual(["alpha"]);
  });

  test("one board for two nodes is refused, in one device and in two: it would kill the wrong one", () => {
    const one = cib(primitive("f", "ipmi-lan", { ...board, pcmk_host_list: "alpha,bravo" }));
    const two = cib(good + primitive("fence-bravo", "ipmi-lan", { ...board, pcmk_host_list: "bravo" }));
    expect(places(one)[0]).toBe("error primitive f");
    expect(places(two).slice(0, 2)).toEqual(["error primitive fence-alpha", "error primitive fence-bravo"]);
    expect([...read(one).configuration.devices, ...read(two).configuration.devices]).toEqual([]);
  });

  test("outlets come from the map, several a node; a whole UPS needs none", () => {
    const pdu = { host: "192.0.2.9", version: "1", secret: "pdu" };
    const root = cib(primitive("pdu", "snmp-pdu", { ...pdu, pcmk_host_map: "alpha:3,7;bravo:4,8" }));
    expect(read(root).problems).toEqual([]);
    const perTarget = { alpha: { outlets: "3,7" }, bravo: { outlets: "4,8" } };
    expect(read(root).configuration.devices[0]?.perTarget).toEqual(perTarget);
    const ups = { host: "192.0.2.9", ups: "rack", user: "u", secret: "s", pcmk_host_list: "alpha" };
    expect(read(cib(primitive("ups", "nut", ups))).problems).toEqual([]);
  });

  test.each([
    ["in one device", [{ pcmk_host_map: "alpha:3,7;bravo:7" }]],
    ["in two devices", [{ pcmk_host_map: "alpha:3" }, { pcmk_host_map: "bravo:3" }]],
    ["outlets and the whole UPS", [{ pcmk_host_map: "alpha:3" }, { pcmk_host_list: "bravo" }]],
  ])("one outlet for two nodes is refused: %s", (_, maps) => {
    const ups = { host: "192.0.2.9", ups: "rack", user: "u", secret: "s" };
    const root = cib(maps.map((map, at) => primitive(`ups-${at}`, "nut", { ...ups, ...map })).join(""));
    expect(read(root).configuration.devices).toEqual([]);
    expect(places(root)[0]).toBe("error primitive ups-0");
  });

  test("external/ipmi names its node by hostname", () => {
    const old = { hostname: "alpha", ipaddr: "192.0.2.1", userid: "admin", secret: "s", interface: "lanplus" };
    const { configuration, problems } = read(cib(primitive("f", "external/ipmi", old)));
    expect(problems).toEqual([]);
    expect(configuration.devices[0]).toMatchObject({ driver: "ipmi-lan", targets: ["alpha"] });
  });

  test("inside of groups and clones, and not when stopped by its target-role", () => {
    const stopped = `<meta_attributes>${pairs({ "target-role": "Stopped" })}</meta_attributes>`;
    const root = cib(
      `<group id="g">${good}</group><clone id="c">` +
        primitive("f2", "ipmi-lan", { ...board, host: "192.0.2.2", pcmk_host_list: "bravo" }) +
        `</clone>${primitive("f3", "ipmi-lan", { ...board, pcmk_host_list: "alpha" }, stopped)}`,
    );
    expect(read(root).configuration.devices.map(({ id }) => id)).toEqual(["fence-alpha", "f2"]);
  });

  test("a location of minus infinity bans the device from that node", () => {
    const constraints = `<rsc_location id="l" rsc="fence-alpha" node="alpha" score="-INFINITY"/>`;
    const { configuration } = read(cib(good, { constraints }));
    expect(levelsFor(configuration, "alpha", "alpha")).toEqual([]);
    expect(levelsFor(configuration, "alpha", "bravo")).toHaveLength(1);
  });

  test("every problem at once; bad devices are left out, good ones stay", () => {
    const root = cib(
      good +
        primitive("no-host", "ipmi-lan", { user: "admin", secret: "s", pcmk_host_list: "bravo" }) +
        primitive("no-target", "ipmi-lan", board) +
        primitive("password", "fence_ipmilan", {
          ip: "h",
          username: "u",
          password: "hunter2",
          pcmk_host_list: "bravo",
        }) +
        primitive("teapot", "teapot", {}),
      { options: pairs({ "stonith-timeout": "soon", "stonith-action": "explode" }) },
    );
    expect(places(root)).toEqual([
      "error property stonith-timeout",
      "error property stonith-action",
      "error primitive no-host",
      "error primitive no-target",
      "error primitive password",
      "error primitive password",
      "error primitive teapot",
    ]);
    expect(read(root).configuration.devices.map(({ id }) => id)).toEqual(["fence-alpha"]);
    expect(JSON.stringify(read(root))).not.toContain("hunter2");
  });

  test("no device at all is said", () => {
    expect(places(cib(""))).toEqual(["warning fencing"]);
    expect(places(cib("", { options: pairs({ "stonith-enabled": "false" }) }))).toEqual([]);
  });
});

describe("outlets of a packaged agent", () => {
  const pdu = { ip: "192.0.2.9", secret: "pdu" };

  test("each node has its own, by the map or by its name, never that of another node", () => {
    const hosts = { pcmk_host_map: "alpha:3", pcmk_host_list: "alpha bravo" };
    const { configuration, problems } = read(cib(primitive("pdu", "fence_apc", { ...pdu, ...hosts })));
    expect(problems).toEqual([]);
    expect(configuration.devices[0]).toMatchObject({
      driver: "fence-agent",
      parameters: { agent: "fence_apc", ip: "192.0.2.9", secret: "pdu", plug: "3" },
      perTarget: { alpha: { plug: "3" }, bravo: { plug: "bravo" } },
    });
  });

  test.each([
    ["several outlets for one node", { pcmk_host_map: "alpha:1,2" }],
    ["one outlet for all nodes", { pcmk_host_list: "alpha bravo", plug: "1" }],
    ["a password in the configuration", { pcmk_host_map: "alpha:1", passwd: "hunter2" }],
  ])("%s: refused", (_, parameters) => {
    const root = cib(primitive("pdu", "fence_apc", { ...pdu, ...parameters }));
    expect(places(root)[0]).toBe("error primitive pdu");
    expect(read(root).configuration.devices).toEqual([]);
  });
});

describe("levels", () => {
  const two = good + primitive("pdu", "ipmi-lan", { ...board, pcmk_host_list: "alpha" });

  test("by name, by pattern and by attribute, in the order of their index", () => {
    const topology =
      `<fencing-level id="l2" index="2" target-pattern="al.*" devices="pdu"/>` +
      `<fencing-level id="l1" index="1" target="alpha" devices="fence-alpha"/>`;
    const { configuration, problems } = read(cib(two, { topology }));
    expect(problems).toEqual([]);
    expect(levelsFor(configuration, "alpha", "bravo").map((level) => level.map(({ id }) => id))).toEqual([
      ["fence-alpha"],
      ["pdu"],
    ]);
  });

  test.each([
    ["lph", ["alpha"]],
    ["^alph$", []],
    ["^(alpha|bravo)$", ["alpha", "bravo"]],
    ["^[[:alpha:]]+$", ["alpha", "bravo"]],
    ["[[:digit:]]", []],
    ["^[[:alpha:][:digit:]_]{5}$", ["alpha", "bravo"]],
  ])("the pattern %s is looked for anywhere in a name, in the words of regex(7)", (pattern, bound) => {
    const topology = `<fencing-level id="l1" index="1" target-pattern="${pattern}" devices="pdu"/>`;
    const { configuration, problems } = read(cib(two, { topology }));
    expect(problems).toEqual([]);
    expect(Object.keys(configuration.topology).toSorted()).toEqual(bound);
  });

  test("a level with an absent device binds its target: no other device is a proof in its place", () => {
    const topology = `<fencing-level id="l1" index="1" target="alpha" devices="fence-alpha,psu-b"/>`;
    const root = cib(two, { topology });
    expect(places(root)).toEqual(["error fencing-level l1"]);
    expect(levelsFor(read(root).configuration, "alpha", "bravo")).toEqual([]);
  });

  test("bad patterns and indexes are told", () => {
    const topology =
      `<fencing-level id="l1" index="0" target="alpha" devices="pdu"/>` +
      `<fencing-level id="l2" index="1" target-pattern="(" devices="pdu"/>` +
      `<fencing-level id="l3" index="1" target-pattern="[[:nosuch:]]" devices="pdu"/>`;
    expect(places(cib(two, { topology }))).toEqual([1, 2, 3].map((number) => `error fencing-level l${number}`));
  });

  test("without a topology: by priority, people last", () => {
    const root = cib(
      primitive("hand", "meatware", { priority: "9" }) +
        good +
        primitive("first", "ipmi-lan", { ...board, pcmk_host_list: "alpha", priority: "5" }),
    );
    const order = levelsFor(read(root).configuration, "alpha", "bravo").map((level) => level.map(({ id }) => id));
    expect(order).toEqual([["first"], ["fence-alpha"], ["hand"]]);
  });
});

test("options by their old and their new names", () => {
  const old = { "stonith-enabled": "false", "stonith-timeout": "30s", "stonith-max-attempts": "3" };
  const fresh = { "fencing-enabled": "false", "fencing-timeout": "30s", "fencing-max-attempts": "3" };
  for (const options of [old, fresh]) {
    const { configuration } = read(cib(good, { options: pairs(options) }));
    expect(configuration).toMatchObject({ isEnabled: false, timeoutMs: 30_000, attemptsMax: 3 });
  }
});

test.each([
  ["20", 20_000],
  ["20s", 20_000],
  ["500ms", 500],
  ["2min", 120_000],
  ["1h", 3_600_000],
  ["", undefined],
  ["-1", undefined],
  ["1 fortnight", undefined],
])("the time %j is %j ms", (text, ms) => {
  expect(parseDurationMs(text)).toBe(ms);
});

test("the loser of a race waits 5 s, unless the property or a device's own delay says otherwise", () => {
  const delayOf = (options: string, device: Readonly<Record<string, string>> = {}) => {
    const resource = primitive("f", "ipmi-lan", { ...board, ...device, pcmk_host_list: "alpha" });
    return read(cib(resource, { options })).configuration.priorityDelayMs;
  };
  expect(delayOf("")).toBe(5_000);
  expect(delayOf(pairs({ "priority-fencing-delay": "15s" }))).toBe(15_000);
  expect(delayOf(pairs({ "priority-fencing-delay": "0" }), { pcmk_delay_max: "3s" })).toBe(0);
  expect(delayOf("", { pcmk_delay_base: "alpha:5s;bravo:0s" })).toBe(0);
  expect(delayOf(pairs({ "priority-fencing-delay": "2s" }), { pcmk_delay_max: "3s" })).toBe(2_000);
});
