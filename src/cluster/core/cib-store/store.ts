/** STAND-IN until the real store comes: the DC is the truth; everything is sent whole. Not to be committed. */
import type { Stepped } from "../../../base/step.ts";
import { childOf, childrenOf, type XmlElement, xml } from "../../../base/xml.ts";
import type { CibStoreEffect, CibStoreEvent, ConfigurationOperation, StatusChange, StoredCib } from "./types.ts";

export interface CibStoreState {
  readonly self: string;
  readonly configuration: XmlElement;
  readonly status: XmlElement;
  readonly root: Readonly<Record<string, string>>;
  readonly epoch: number;
  readonly updates: number;
  readonly members: readonly string[];
  readonly dc?: string;
}
type Step = Stepped<CibStoreState, CibStoreEffect>;
export function createCibStore(
  self: string,
  _session: number,
  stored: StoredCib | undefined,
  _nowMs: number,
): CibStoreState {
  return {
    self,
    configuration:
      stored?.configuration ??
      xml(
        "configuration",
        {},
        ["crm_config", "nodes", "resources", "constraints"].map((n) => xml(n)),
      ),
    status: xml("status"),
    root: {},
    epoch: stored?.version.epoch ?? 0,
    updates: 0,
    members: [],
  };
}
export function cibTree(s: CibStoreState): XmlElement {
  return xml(
    "cib",
    {
      "validate-with": "pacemaker-3.7",
      admin_epoch: "0",
      epoch: String(s.epoch),
      num_updates: String(s.updates),
      ...s.root,
    },
    [s.configuration, s.status],
  );
}
export function cibStoreWakeAtMs(_s: CibStoreState): number | undefined {
  return undefined;
}
function withChild(
  parent: XmlElement,
  match: (e: XmlElement) => boolean,
  change: (e: XmlElement | undefined) => XmlElement | undefined,
): XmlElement {
  const at = parent.children.findIndex(match);
  const next = change(parent.children[at]);
  const children = [...parent.children];
  if (at >= 0 && next) children[at] = next;
  else if (at >= 0) children.splice(at, 1);
  else if (next) children.push(next);
  return { ...parent, children };
}
const named = (n: string) => (e: XmlElement) => e.name === n;
function inNode(s: CibStoreState, status: XmlElement, node: string, change: (e: XmlElement) => XmlElement): XmlElement {
  const id =
    childrenOf(childOf(s.configuration, "nodes"), "node").find((n) => n.attributes.uname === node)?.attributes.id ??
    node;
  return withChild(
    status,
    (e) => e.attributes.uname === node,
    (e) => change(e ?? xml("node_state", { id, uname: node })),
  );
}
function applyStatus(s: CibStoreState, c: StatusChange): CibStoreState {
  const id = (n: string) =>
    childrenOf(childOf(s.configuration, "nodes"), "node").find((e) => e.attributes.uname === n)?.attributes.id ?? n;
  const merge = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string | null>>) =>
    Object.fromEntries(Object.entries({ ...a, ...b }).filter((e): e is [string, string] => e[1] !== null));
  const on = (node: string, change: (e: XmlElement) => XmlElement) => ({
    ...s,
    status: inNode(s, s.status, node, change),
  });
  switch (c.kind) {
    case "set-node-state":
      return on(c.node, (e) => ({ ...e, attributes: merge(e.attributes, c.attributes) }));
    case "replace-history":
      return on(c.node, (e) => withChild(e, named("lrm"), () => c.lrm));
    case "set-operation":
      return on(c.node, (e) =>
        withChild(e, named("lrm"), (l) =>
          withChild(l ?? xml("lrm", { id: id(c.node) }), named("lrm_resources"), (r) =>
            withChild(
              r ?? xml("lrm_resources"),
              (x) => x.attributes.id === c.resource.id,
              (x) =>
                withChild(
                  x ?? xml("lrm_resource", { ...c.resource }),
                  (o) => o.attributes.id === c.operation.attributes.id,
                  () => c.operation,
                ),
            ),
          ),
        ),
      );
    case "delete-history":
      return on(c.node, (e) =>
        c.resource === undefined
          ? withChild(e, named("lrm"), () => undefined)
          : withChild(
              e,
              named("lrm"),
              (l) =>
                l &&
                withChild(
                  l,
                  named("lrm_resources"),
                  (r) =>
                    r &&
                    withChild(
                      r,
                      (x) => x.attributes.id === c.resource,
                      (x) =>
                        c.operation === undefined || !x
                          ? undefined
                          : withChild(
                              x,
                              (o) => o.attributes.id === c.operation,
                              () => undefined,
                            ),
                    ),
                ),
            ),
      );
    case "set-attribute":
      return on(c.node, (e) =>
        withChild(e, named("transient_attributes"), (t) =>
          withChild(t ?? xml("transient_attributes", { id: id(c.node) }), named("instance_attributes"), (i) =>
            withChild(
              i ?? xml("instance_attributes", { id: `status-${id(c.node)}` }),
              (n) => n.attributes.name === c.name,
              () =>
                c.value === null
                  ? undefined
                  : xml("nvpair", { id: `status-${id(c.node)}-${c.name}`, name: c.name, value: c.value }),
            ),
          ),
        ),
      );
    case "clear-node":
      return on(c.node, (e) => ({ ...e, children: [] }));
    case "delete-node":
      return {
        ...s,
        status: withChild(
          s.status,
          (e) => e.attributes.uname === c.node,
          () => undefined,
        ),
      };
    case "set-cib":
      return { ...s, root: merge(s.root, c.attributes) };
    case "set-ticket":
      return s;
  }
}
function applyConf(s: CibStoreState, o: ConfigurationOperation): CibStoreState {
  let configuration = s.configuration;
  if (o.kind === "replace") configuration = o.configuration;
  else if (o.kind === "set")
    configuration = withChild(configuration, named(o.parent), (p) =>
      withChild(
        p ?? xml(o.parent),
        (e) => e.attributes.id === o.element.attributes.id,
        () => o.element,
      ),
    );
  else if (o.kind === "update")
    for (const section of o.configuration.children)
      configuration = withChild(configuration, named(section.name), (p) =>
        section.children.reduce(
          (acc, el) =>
            withChild(
              acc,
              (e) => e.attributes.id === el.attributes.id,
              () => el,
            ),
          p ?? xml(section.name),
        ),
      );
  return { ...s, configuration, epoch: s.epoch + 1, updates: 0 };
}
function whole(s: CibStoreState): CibStoreEffect[] {
  if (s.dc !== s.self) return [];
  const stored: StoredCib = {
    version: { adminEpoch: 0, epoch: s.epoch },
    head: "x",
    lineage: [],
    confirmedHead: "x",
    configuration: s.configuration,
    history: [],
  };
  return s.members
    .filter((m) => m !== s.self)
    .flatMap((to): CibStoreEffect[] => [
      { kind: "send", to, message: { kind: "cib-install", stored } },
      {
        kind: "send",
        to,
        message: {
          kind: "cib-status-whole",
          round: "",
          sequence: 0,
          numUpdates: s.updates,
          root: s.root,
          status: s.status,
        },
      },
    ]);
}
export function stepCibStore(s: CibStoreState, event: CibStoreEvent, _nowMs: number): Step {
  const changed = (state: CibStoreState, what: "configuration" | "status", more: CibStoreEffect[] = []): Step => ({
    state,
    effects: [{ kind: "changed", what }, ...more, ...whole(state)],
  });
  switch (event.kind) {
    case "view": {
      const { dc: _dc, ...rest } = s;
      const state: CibStoreState = {
        ...rest,
        members: event.members,
        ...(event.dc === undefined ? {} : { dc: event.dc }),
      };
      return { state, effects: event.dc === s.self ? [...whole(state), { kind: "synchronised", head: "x" }] : [] };
    }
    case "report":
      if (s.dc !== s.self)
        return {
          state: s,
          effects:
            s.dc === undefined
              ? []
              : [
                  {
                    kind: "send",
                    to: s.dc,
                    message: { kind: "cib-report", generation: 0, first: 0, changes: event.changes },
                  },
                ],
        };
      return changed({ ...event.changes.reduce(applyStatus, s), updates: s.updates + 1 }, "status");
    case "submit": {
      if (s.dc === undefined)
        return {
          state: s,
          effects: [{ kind: "answer", answer: { kind: "refused", requestId: event.request.requestId, problems: [] } }],
        };
      if (s.dc !== s.self)
        return {
          state: s,
          effects: [{ kind: "send", to: s.dc, message: { kind: "cib-request", request: event.request } }],
        };
      const state = event.request.operations.reduce(applyConf, s);
      return changed(state, "configuration", [
        {
          kind: "answer",
          answer: {
            kind: "accepted",
            requestId: event.request.requestId,
            version: { adminEpoch: 0, epoch: state.epoch },
            warnings: [],
          },
        },
      ]);
    }
    case "from-peer": {
      const { message } = event;
      if (message.kind === "cib-report") return stepCibStore(s, { kind: "report", changes: message.changes }, 0);
      if (message.kind === "cib-request") return stepCibStore(s, { kind: "submit", request: message.request }, 0);
      if (message.kind === "cib-install")
        return {
          state: { ...s, configuration: message.stored.configuration, epoch: message.stored.version.epoch },
          effects: s.epoch === message.stored.version.epoch ? [] : [{ kind: "changed", what: "configuration" }],
        };
      if (message.kind === "cib-status-whole")
        return {
          state: { ...s, status: message.status, root: message.root, updates: message.numUpdates },
          effects: [{ kind: "changed", what: "status" }],
        };
      return { state: s, effects: [] };
    }
    case "persisted":
    case "tick":
      return { state: s, effects: [] };
  }
}
