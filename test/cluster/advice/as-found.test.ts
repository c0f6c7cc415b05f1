/** What bench/advice and bench/cts found on real nodes, where the advice was wrong, missing or too much. */
import { expect, test } from "vitest";
import { advise } from "../../../src/cluster/core/advice/advise.ts";
import { textOf } from "../../../src/cluster/core/advice/texts.ts";
import { NOW_MS, runsOn, type Scene, situationOf } from "./scene.ts";

const codes = (scene: Scene) => advise(situationOf(scene)).map(({ code }) => code);

test("an address without a nic lacks an interface, whatever its agent calls that; with a nic it has failed", () => {
  const failed = (rc: number): Scene => ({
    done: [
      { node: "srv01", resource: "prmIp", task: "start", rc },
      { node: "srv01", resource: "prmIp", task: "stop" },
    ],
  });
  for (const rc of [1, 5, 6]) {
    expect(codes(failed(rc))).toContain("address-without-interface");
    expect(codes(failed(rc))).not.toContain("not-ready");
    expect(codes({ ...failed(rc), nic: "eth9" })).not.toContain("address-without-interface");
  }
  expect(codes({ ...failed(1), nic: "eth9" })).toContain("resource-failed");
  expect(codes({ ...failed(5), nic: "eth9" })).toContain("not-ready");
});

test("an address of a node that was fenced has moved, though nothing is left of that node's history", () => {
  const takenOver = (agoSeconds: number): Scene => ({
    offline: "srv01",
    done: runsOn("srv02", 20),
    live: {
      fencing: [
        {
          target: "srv01",
          action: "off",
          outcome: "confirmed",
          by: "srv02: the cluster",
          evidence: "power read as off",
          reason: "",
          atWallMs: NOW_MS - agoSeconds * 1000,
        },
      ],
    },
  });
  expect(codes(takenOver(25))).toContain("address-moved");
  expect(codes(takenOver(300))).not.toContain("address-moved");
});

test("without quorum one line says so, in place of each action that waits for it", () => {
  const blocked = [
    { key: "prmIp_start_0", node: "srv02", reason: "the cluster has no quorum" },
    { key: "prmIp_stop_0", node: "srv01", reason: "it may run there" },
    { key: "grpDB_start_0", reason: "this cannot be done: prmIp start" },
    { key: "prmIp_monitor_3000", node: "srv02", reason: "it is watched at intervals" },
  ];
  const scene: Scene = { unclean: "srv01", hasQuorum: false, live: { blocked } };
  expect(codes(scene).filter((code) => code === "blocked" || code === "no-quorum")).toEqual(["no-quorum"]);
  // With quorum only what an operator can do something about.
  const keys = advise(situationOf({ ...scene, hasQuorum: true })).filter(({ code }) => code === "blocked");
  expect(keys.map(({ values }) => values["key"])).toEqual(["prmIp_start_0", "prmIp_stop_0"]);
});

test("who is together without quorum, the keepers say, not the nodes of a CIB that nobody keeps up", () => {
  const told = (phase: "member" | "lost") => {
    const found = advise(situationOf({ hasQuorum: false, live: { phases: { srv01: phase, srv02: "self" } } }));
    const { values } = found.find(({ code }) => code === "no-quorum") ?? { values: {} };
    return textOf("en", "no-quorum", values).what;
  };
  expect(told("lost")).toContain("no quorum: this part has only srv02, of 2 nodes");
  expect(told("member")).toContain("no quorum yet: srv01, srv02 are together, of 2 nodes, and not counted yet");
});

test("the first line is of data that two nodes write, whatever else is wrong; a full disk is behind lost nodes", () => {
  const twice = [...runsOn("srv01"), ...runsOn("srv02")];
  const told = codes({ done: twice, hasQuorum: false, live: { cibRefusal: "no space left", heldUp: "clocks" } });
  expect([...new Set(told)].slice(0, 3)).toEqual(["active-twice", "no-quorum", "decisions-held-up"]);
  const lost = codes({ unclean: "srv01", live: { cibRefusal: "no space left" } });
  expect(lost.indexOf("node-unclean")).toBeLessThan(lost.indexOf("cib-not-written"));
});

test("a fencing device without its parameters keeps no service away, and is mended in the configuration", () => {
  const told = advise(
    situationOf({
      done: [...runsOn("srv02"), { node: "srv01", resource: "shoot", task: "start", rc: 6 }],
      srv01: { "fail-count-shoot#start_0": "INFINITY" },
    }),
  );
  expect(told.map(({ code }) => code)).not.toContain("failed-over");
  const notReady = told.find(({ code }) => code === "not-ready");
  expect(notReady?.values).toMatchObject({ node: "srv01", resources: "shoot", kind: "device" });
  expect(textOf("en", "not-ready", notReady?.values ?? {}).doNow).toContain("gemel verify -L");
});
