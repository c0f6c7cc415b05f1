/** Resources of generated CIBs: primitives, groups, clones, promotable clones, each with random options. */
import { type Draw, metaSet, type Primitive, pairs, type Theme, type Top } from "./draw.ts";

function commonMeta({ chance, pick }: Draw, theme: Theme, promotable: boolean): Record<string, string> {
  const meta: Record<string, string> = {};
  if (!theme.meta) return meta;
  if (chance(0.15)) meta["resource-stickiness"] = pick(["0", "1", "100", "INFINITY"]);
  if (chance(0.15)) meta["priority"] = pick(["1", "5", "10", "-1"]);
  if (chance(0.12))
    meta["target-role"] = promotable
      ? pick(["Stopped", "Started", "Unpromoted", "Promoted"])
      : pick(["Stopped", "Started"]);
  if (chance(0.06)) meta["is-managed"] = "false";
  if (chance(0.04)) meta["maintenance"] = "true";
  if (chance(0.1)) meta["migration-threshold"] = pick(["1", "2", "3"]);
  if (chance(0.08)) meta["failure-timeout"] = pick(["10s", "600s"]);
  if (chance(0.08)) meta["multiple-active"] = pick(["block", "stop_only", "stop_start", "stop_unexpected"]);
  if (chance(0.08)) meta["requires"] = pick(["nothing", "quorum", "fencing"]);
  if (chance(0.08)) meta["critical"] = "false";
  return meta;
}

function operations(draw: Draw, theme: Theme, id: string, monitors: Primitive["monitors"]): string {
  const { chance, pick } = draw;
  const ops = monitors.map(({ seconds, role }) => {
    const onFail =
      theme.failures && chance(0.25) ? ` on-fail="${pick(["block", "ignore", "restart", "stop", "standby"])}"` : "";
    const roles = role === "" ? "" : ` role="${role}"`;
    return `<op id="${id}-monitor-${seconds}" name="monitor" interval="${seconds}s"${roles}${onFail}/>`;
  });
  for (const task of ["start", "stop", "promote"] as const)
    if (theme.failures && chance(0.12)) {
      const answers =
        task === "stop" ? (["block", "ignore"] as const) : (["restart", "block", "ignore", "stop"] as const);
      ops.push(`<op id="${id}-${task}-0" name="${task}" interval="0" on-fail="${pick(answers)}"/>`);
    }
  return ops.length === 0 ? "" : `<operations>${ops.join("")}</operations>`;
}

export function primitive(
  draw: Draw,
  theme: Theme,
  id: string,
  role: "plain" | "promotable" | "fencing",
): [Primitive, string] {
  const { chance, pick } = draw;
  const monitors: { seconds: number; role: string }[] = [];
  if (chance(0.6)) monitors.push({ seconds: 10, role: role === "promotable" ? "Promoted" : "" });
  if (role === "promotable" && chance(0.6)) monitors.push({ seconds: 11, role: "Unpromoted" });
  if (role === "plain" && chance(0.06)) monitors.push({ seconds: 30, role: "Stopped" });
  const meta = commonMeta(draw, theme, role === "promotable");
  if (theme.migration && role === "plain" && chance(0.6)) meta["allow-migrate"] = "true";
  const demand = theme.utilization && role === "plain" && chance(0.7);
  const utilization = demand
    ? `<utilization id="${id}-use">${pairs(`${id}-use`, { memory: pick(["1", "2", "4"]) })}</utilization>`
    : "";
  const agent =
    role === "fencing"
      ? 'class="stonith" type="fence_ipmilan"'
      : role === "promotable"
        ? 'class="ocf" provider="pacemaker" type="Stateful"'
        : 'class="ocf" provider="pacemaker" type="Dummy"';
  const body = `${metaSet(id, meta)}${utilization}${operations(draw, theme, id, monitors)}`;
  return [{ id, isFencing: role === "fencing", monitors }, `<primitive id="${id}" ${agent}>${body}</primitive>`];
}

function group(
  draw: Draw,
  theme: Theme,
  id: string,
  meta: string,
  role: "plain" | "promotable",
): [Primitive[], string] {
  const made = Array.from({ length: draw.between(2, 3) }, (_, index) =>
    primitive(draw, theme, `${id}-${index + 1}`, role),
  );
  const members = made.map(([member]) => member);
  return [members, `<group id="${id}">${meta}${made.map(([, xml]) => xml).join("")}</group>`];
}

function cloneMeta(draw: Draw, theme: Theme, promotable: boolean, nodes: number): Record<string, string> {
  const { chance, pick } = draw;
  const meta = commonMeta(draw, theme, promotable);
  if (promotable) meta["promotable"] = "true";
  if (chance(0.3)) meta["interleave"] = "true";
  if (chance(0.1)) meta["ordered"] = "true";
  if (theme.notify) meta["notify"] = "true";
  if (chance(0.15)) meta["clone-max"] = String(pick([1, 2, nodes]));
  if (promotable && chance(0.15)) meta["promoted-max"] = "2";
  if (chance(0.06)) meta["clone-min"] = pick(["1", "2"]);
  if (chance(0.1)) {
    meta["globally-unique"] = "true";
    if (chance(0.5)) meta["clone-node-max"] = "2";
  }
  return meta;
}

export function resource(draw: Draw, theme: Theme, id: string, nodes: number): Top {
  const { chance, pick } = draw;
  const kind = pick(["primitive", "primitive", "primitive", "group", "clone", "promotable"] as const);
  if (kind === "primitive") {
    const [member, xml] = primitive(draw, theme, id, "plain");
    return { id, kind, members: [member], unique: false, xml };
  }
  if (kind === "group") {
    const [members, xml] = group(draw, theme, id, metaSet(id, commonMeta(draw, theme, false)), "plain");
    return { id, kind, members, unique: false, xml };
  }
  const meta = cloneMeta(draw, theme, kind === "promotable", nodes);
  const inner = `${id}-rsc`;
  const role = kind === "promotable" ? "promotable" : "plain";
  const [members, child] = chance(0.2)
    ? group(draw, theme, inner, "", role)
    : (([member, xml]) => [[member], xml] as [Primitive[], string])(primitive(draw, theme, inner, role));
  const xml = `<clone id="${id}">${metaSet(id, meta)}${child}</clone>`;
  return { id, kind, members, unique: meta["globally-unique"] === "true", xml };
}
