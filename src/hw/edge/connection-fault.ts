/** Why no connection came about, and what to do: the same words for every dialect. Codes of node:net and node:dgram. */

export interface Place {
  readonly host: string;
  readonly port: number;
  readonly protocol: "TCP" | "UDP";
  /** What should answer there, as `ssh`. */
  readonly service: string;
}

interface Fault {
  readonly code?: string;
  readonly message: string;
}

export function connectionFault({ code = "", message }: Fault, { host, port, protocol, service }: Place): string {
  if (code === "ECONNREFUSED") {
    const remedy = "Enable it there, or correct host and port";
    return `nothing listens on ${protocol} port ${port} of ${host}: is ${service} running there? ${remedy}`;
  }
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return `the name ${host} cannot be resolved; correct host, or write the address itself`;
  }
  if (code === "EHOSTUNREACH" || code === "ENETUNREACH") {
    return `there is no way to ${host}; look at its cable and at this node's routes, or correct host`;
  }
  if (code === "ECONNRESET" || code === "EPIPE") {
    return `${host} hangs up: perhaps it has no session left; close other logins, or reset the board`;
  }
  return `${host} port ${port}: ${code === "" ? message : code}; look at the board and its network`;
}

export function noConnection({ host, port }: Place, withinMs: number): string {
  const remedy = "look whether it has power and network, or correct host";
  return `${host} port ${port}: no connection within ${withinMs} ms; ${remedy}`;
}
