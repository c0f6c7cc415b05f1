/**
 * The parameters of a bundle's container agents. Word for word what Pacemaker gives them, for their digests are
 * recorded: one blank more, and every running container would be restarted on an upgrade.
 * Facts: crm_simulate as a black box (parameters in its graphs).
 */
import { addressOf, type BundleSpec, bundleNodeName, CONTROL_PORT_DEFAULT } from "./bundle-spec.ts";

const LOGS_ROOT = "/var/log/pacemaker/bundles";
const KEY_FILE = "/etc/pacemaker/authkey";

interface Mount {
  readonly source: string;
  readonly target: string;
  readonly options: string | undefined;
}

/** A directory of its own below each root; such directories the agent makes. */
function mountsOf(spec: BundleSpec, index: number): { readonly mounts: readonly Mount[]; readonly own: string[] } {
  const name = bundleNodeName(spec, index);
  const own: string[] = [];
  const mounts: Mount[] = spec.mounts.map(({ source, sourceRoot = "", target, options }) => {
    if (source !== undefined) return { source, target, options };
    own.push(`${sourceRoot}/${name}`);
    return { source: `${sourceRoot}/${name}`, target, options };
  });
  if (spec.child === undefined) return { mounts, own };
  own.push(`${LOGS_ROOT}/${name}`);
  return {
    mounts: [
      ...mounts,
      { source: KEY_FILE, target: KEY_FILE, options: undefined },
      { source: `${LOGS_ROOT}/${name}`, target: "/var/log", options: undefined },
    ],
    own,
  };
}

interface Words {
  readonly restart: string;
  readonly hostName: string;
  readonly environment: string;
  readonly mount: (mount: Mount, index: number) => string;
  readonly port: (address: string | undefined, host: string, inside: string) => string;
}

const commonWords: Words = {
  restart: "",
  hostName: "-h ",
  environment: "-e ",
  mount: ({ source, target, options }) => ` -v ${source}:${target}${options === undefined ? "" : `:${options}`}`,
  port: (address, host, inside) => ` -p ${address === undefined ? "" : `${address}:`}${host}:${inside}`,
};

const WORDS: Readonly<Record<BundleSpec["kind"], Words>> = {
  docker: { ...commonWords, restart: " --restart=no" },
  podman: commonWords,
  rkt: {
    restart: "",
    hostName: "--hostname=",
    environment: "--environment=",
    mount: ({ source, target, options }, index) =>
      ` --volume vol${index},kind=host,source=${source}${options === undefined ? "" : `,${options}`}` +
      ` --mount volume=vol${index},target=${target}`,
    port: (address, host, inside) => ` --port=${inside}:${address === undefined ? "" : `${address}:`}${host}`,
  },
};

function hostEntries(spec: BundleSpec): string {
  if (spec.firstAddress === undefined) return "";
  const entries: string[] = [];
  for (let index = 0; index < spec.replicas; index++) {
    const [name, address] = [bundleNodeName(spec, index), addressOf(spec, index) ?? ""];
    entries.push(
      spec.kind !== "rkt" && spec.addHosts ? ` --add-host=${name}:${address}` : ` --hosts-entry=${address}=${name}`,
    );
  }
  return entries.join("");
}

function runOptions(spec: BundleSpec, index: number, mounts: readonly Mount[]): string {
  const words = WORDS[spec.kind];
  const address = addressOf(spec, index);
  const control = spec.controlPort ?? CONTROL_PORT_DEFAULT;
  const hostName = address === undefined ? "" : ` ${words.hostName}${bundleNodeName(spec, index)}`;
  const network = spec.network === undefined ? "" : ` --net=${spec.network}`;
  // On the host's own network no port needs a way in; rkt is told nevertheless.
  const isApart = address !== undefined || spec.network !== "host" || spec.kind === "rkt";
  const ports = [...spec.ports, ...(spec.child === undefined ? [] : [{ host: control, inside: control }])];
  return [
    words.restart,
    hostName,
    ` ${words.environment}PCMK_stderr=1`,
    network,
    ` ${words.environment}PCMK_remote_port=${control}`,
    mounts.map((mount, at) => words.mount(mount, at)).join(""),
    isApart ? ports.map(({ host, inside }) => words.port(address, host, inside)).join("") : "",
    ` ${spec.options === undefined ? "" : `${spec.options} `}`,
    hostEntries(spec),
  ].join("");
}

/** The agent's parameters for one replica. */
export function containerParameters(spec: BundleSpec, index: number): Readonly<Record<string, string>> {
  const { mounts, own } = mountsOf(spec, index);
  return {
    image: spec.image,
    allow_pull: "true",
    force_kill: "false",
    reuse: "false",
    run_opts: runOptions(spec, index, mounts),
    mount_points: own.join(","),
    monitor_cmd: "/bin/true",
    ...(spec.runCommand === undefined ? {} : { run_cmd: spec.runCommand }),
  };
}
