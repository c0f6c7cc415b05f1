/**
 * `crm -R`: the command of the field that does what the shell is about to do, as `.EXT crm_resource ...`.
 * Facts: crm(8), -R; the source documents show `.EXT crm_resource -M -r 'dummy' --node='srv02' --force`.
 */
import type { ControlRequest } from "../control-protocol.ts";

type Of<Kind extends ControlRequest["kind"]> = Extract<ControlRequest, { kind: Kind }>;

const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;
const meta = (id: string, name: string, value: string) =>
  `crm_resource --meta -r ${quoted(id)} -p ${quoted(name)} -v ${quoted(value)}`;

function placed(flag: string, { resource, node, lifetime, isForced }: Of<"resource">): string {
  return [
    `crm_resource ${flag} -r ${quoted(resource)}`,
    ...(node === undefined ? [] : [`--node=${quoted(node)}`]),
    ...(lifetime === undefined ? [] : [`--lifetime=${quoted(lifetime)}`]),
    ...(isForced === true ? ["--force"] : []),
  ].join(" ");
}

function resourceCommand(request: Of<"resource">): string {
  const { resource: id, action } = request;
  switch (action) {
    case "start":
      return meta(id, "target-role", "Started");
    case "stop":
      return meta(id, "target-role", "Stopped");
    case "promote":
      return meta(id, "target-role", "Promoted");
    case "demote":
      return meta(id, "target-role", "Unpromoted");
    case "manage":
      return meta(id, "is-managed", "true");
    case "unmanage":
      return meta(id, "is-managed", "false");
    case "cleanup":
      return placed("-C", request);
    case "move":
      return placed("-M", request);
    case "ban":
      return placed("-B", request);
    case "unmove":
      return placed("-U", request);
    default:
      return action satisfies never;
  }
}

function nodeCommand({ node, action, lifetime }: Of<"node">): string {
  if (action === "maintenance" || action === "ready")
    return `crm_attribute -N ${quoted(node)} -n maintenance -v ${quoted(action === "ready" ? "false" : "true")}`;
  const until = lifetime === undefined ? "" : ` -l ${quoted(lifetime)}`;
  return `crm_standby -N ${quoted(node)} -v ${quoted(action === "standby" ? "on" : "off")}${until}`;
}

function attributeCommand({ node = "", name, value, lifetime }: Of<"attribute">): string {
  const wish = value === undefined ? "-D" : `-v ${quoted(value)}`;
  return `crm_attribute -N ${quoted(node)} -n ${quoted(name)} ${wish} -l ${quoted(lifetime)}`;
}

export function externalCommand(request: Of<"resource"> | Of<"node"> | Of<"attribute">): string {
  if (request.kind === "resource") return resourceCommand(request);
  return request.kind === "node" ? nodeCommand(request) : attributeCommand(request);
}
