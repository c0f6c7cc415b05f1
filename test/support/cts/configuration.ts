/** What the clusters of the rounds run: of each kind of resource one, writers that tell on each other, boards. */
export const NODES = ["alpha", "bravo", "charlie"] as const;
export type NodeName = (typeof NODES)[number];

/** The virtual address. */
export const ADDRESS = "198.18.5.100";
/** What it becomes in the rounds that change it. */
export const OTHER_ADDRESS = "198.18.5.101";
/** Resources that run once, with the group that keeps some of them together. */
export const SINGLES = ["front-writer", "address", "writer-two", "writer-three"] as const;
export const FRONT = ["front-writer", "address"] as const;

export function configurationText(claims: string, board: (node: NodeName) => string): string {
  const times = "op start timeout=40s op stop timeout=40s";
  const writer = (id: string) =>
    `primitive ${id} ocf:cts:writer params claims=${claims} op monitor interval=3s timeout=40s ${times}`;
  const devices = NODES.flatMap((node) => [
    `primitive fence-${node} stonith:ipmi-lan params host=${board(node)} user=admin secret=board` +
      ` pcmk_host_list=${node} settle_time=100ms answer_time=5s`,
    `location fence-${node}-elsewhere fence-${node} -inf: ${node}`,
  ]);
  return `${[
    ...["front-writer", "writer-two", "writer-three"].map(writer),
    `primitive address ocf:gemel:IPaddr2 params ip=${ADDRESS} cidr_netmask=24 nic=service` +
      ` op monitor interval=4s timeout=40s ${times}`,
    `primitive mirror-state ocf:gemel:Stateful op monitor interval=4s role=Master timeout=40s` +
      ` op monitor interval=5s role=Slave timeout=40s ${times}`,
    `primitive everywhere-dummy ocf:gemel:Dummy op monitor interval=5s timeout=40s ${times}`,
    "group front front-writer address",
    "ms mirror mirror-state meta master-max=1",
    "clone everywhere everywhere-dummy",
    "colocation front-with-mirror inf: front mirror:Master",
    "order mirror-first inf: mirror:promote front:start",
    ...devices,
    "property stonith-enabled=true stonith-action=reboot cluster-recheck-interval=60s",
    "rsc_defaults resource-stickiness=10",
  ].join("\n")}\n`;
}
