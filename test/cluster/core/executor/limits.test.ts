/** How many operations a node runs at once, by the configuration and by its load. */
import { expect, test } from "vitest";
import { parseXml, type XmlElement } from "../../../../src/base/xml.ts";
import { createExecutor, limited, stepExecutor } from "../../../../src/cluster/core/executor/executor.ts";
import { limitOptionsOf, slotsOf, usualLimits } from "../../../../src/cluster/core/executor/limits.ts";
import type { ExecutorEvent, ExecutorState } from "../../../../src/cluster/core/executor/types.ts";
import type { ResourceAction } from "../../../../src/cluster/core/transition/graph.ts";

function cib(options: Readonly<Record<string, string>>): XmlElement {
  const pairs = Object.entries(options).map(
    ([name, value]) => `<nvpair id="${name}" name="${name}" value="${value}"/>`,
  );
  const set = `<cluster_property_set id="o">${pairs.join("")}</cluster_property_set>`;
  const read = parseXml(`<cib><configuration><crm_config>${set}</crm_config></configuration></cib>`);
  if (read.kind !== "xml") throw new Error(read.reason);
  return read.root;
}

test.each([
  [{}, { configured: 0, threshold: 0.8 }],
  [
    { "node-action-limit": "3", "load-threshold": "50%" },
    { configured: 3, threshold: 0.5 },
  ],
  [
    { "node-action-limit": "-1", "load-threshold": "0%" },
    { configured: 0, threshold: 0 },
  ],
  [
    { "node-action-limit": "many", "load-threshold": "80" },
    { configured: 0, threshold: 0.8 },
  ],
])("the options %j mean %j", (options, expected) => {
  expect(limitOptionsOf(cib(options))).toEqual(expected);
});

test.each([
  [{}, 8, 8],
  [{ load: 0.8 }, 8, 8],
  [{ load: 1.6 }, 4, 8],
  [{ load: 12 }, 2, 8],
  [{ load: 12, configured: 1 }, 1, 1],
  [{ load: 12, threshold: 0 }, 8, 8],
  [{ configured: 20 }, 20, 20],
])("of twice four processors with %j at once: %i, and monitors: %i", (more, once, recurring) => {
  expect(slotsOf({ ...usualLimits(8), ...more })).toEqual({ once, recurring });
});

function start(id: string): ResourceAction {
  const resource = { id, class: "ocf", provider: "gemel", type: "Dummy" };
  const fixed = { kind: "resource", id: 1, key: `${id}_start_0`, priority: 0, inputs: [], node: "alpha" } as const;
  const rest = { operation: "start", intervalMs: 0, timeoutMs: 9, parameters: {}, meta: {}, expectedCode: 0 };
  return { ...fixed, ...rest, resource, reason: { code: "start", facts: {} } };
}

test("what is over the limit waits, and begins when the load has gone or the configuration allows more", () => {
  let state: ExecutorState = limited(createExecutor("alpha", 4), { configured: 0, threshold: 0.8 });
  const step = (event: ExecutorEvent) => {
    const stepped = stepExecutor(state, event, 0, { md5: () => "" });
    state = stepped.state;
    return stepped.effects.flatMap((effect) => (effect.kind === "run" ? [effect.resource.id] : []));
  };
  step({ kind: "load", load: 4 });
  const ids = ["a", "b", "c", "d", "e", "f"];
  const begun = ids.flatMap((id) => step({ kind: "perform", action: start(id), transitionKey: "1:1:0:dc" }));
  expect(begun).toEqual(["a", "b"]);
  expect(step({ kind: "load", load: 0.1 })).toEqual(["c", "d"]);
  expect(step({ kind: "limits", options: { configured: 5, threshold: 0.8 } })).toEqual(["e"]);
});
