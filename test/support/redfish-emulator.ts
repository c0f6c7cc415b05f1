/**
 * A Redfish board: one function from request to answer, behind a virtual clock or a real HTTPS server.
 * It counts as honest because fence_redfish, which we did not write, drives it (see its test).
 * Facts: DMTF DSP0266, DSP2046; vendor quirks in reference stonith.md, section 14.
 */
import { createServer } from "node:https";
import { CERTIFICATE, KEY } from "./board-certificate.ts";

export interface RedfishMachine {
  /** As `PowerState`. */
  state(): string;
  /** The answer to a reset, or "cut" for a line that breaks after the request. */
  reset(type: "ForceOff" | "On"): { readonly status: number; readonly error?: string } | "cut";
}

/** A machine that does what it is told, at once. */
export function obedientMachine(): RedfishMachine {
  let state = "On";
  return {
    state: () => state,
    reset(type) {
      state = type === "On" ? "On" : "Off";
      return { status: 204 };
    },
  };
}

export interface RedfishBoard {
  readonly systemId: string;
  readonly manufacturer: string;
  readonly model: string;
  readonly resetTypes: readonly string[];
}

const ILO_TYPES = ["On", "ForceOff", "ForceRestart", "GracefulShutdown"];
/** By generation: reference stonith.md, section 14. iRMC: Fujitsu's Redfish white paper (system 0, its own values). */
export const BOARDS = {
  ilo5: { systemId: "1", manufacturer: "HPE", model: "ProLiant DL380 Gen10", resetTypes: ILO_TYPES },
  idrac: {
    systemId: "System.Embedded.1",
    manufacturer: "Dell Inc.",
    model: "PowerEdge R640",
    resetTypes: [...ILO_TYPES, "PushPowerButton", "Nmi", "PowerCycle"],
  },
  xcc: { systemId: "1", manufacturer: "Lenovo", model: "ThinkSystem SR650", resetTypes: [...ILO_TYPES, "Nmi"] },
  openbmc: { systemId: "system", manufacturer: "OpenBMC", model: "romulus", resetTypes: [...ILO_TYPES, "PowerCycle"] },
  supermicro: { systemId: "1", manufacturer: "Supermicro", model: "X11DPi", resetTypes: [...ILO_TYPES, "Nmi"] },
  irmc: {
    systemId: "0",
    manufacturer: "FUJITSU",
    model: "PRIMERGY RX2540 M5",
    resetTypes: ["On", "ForceOff", "GracefulShutdown", "ForceRestart", "PowerCycle", "Nmi", "PushPowerButton"],
  },
} as const satisfies Readonly<Record<string, RedfishBoard>>;

export interface RedfishOptions {
  readonly machine: RedfishMachine;
  readonly uuid?: string;
  /** A second system on the same manager, which must never be touched. */
  readonly hasNeighbour?: boolean;
  readonly resetTypes?: readonly string[];
  /** What the board says of itself: by default an iLO 5. */
  readonly board?: RedfishBoard;
  /** Answers 202 with a task instead of 204. */
  readonly answersTask?: boolean;
}

export interface RedfishAnswer {
  readonly status: number;
  readonly body: string;
}

export const ACCOUNT = { user: "admin", password: "adminpw" } as const;
export const UUID = "4c4c4544-0044-4810-8031-b4c04f4d3032";
const NEIGHBOUR_UUID = "4c4c4544-0044-4810-8031-000000000000";

const SYSTEMS = "/redfish/v1/Systems";

function system(path: string, uuid: string, state: string, board: RedfishBoard, resetTypes: readonly string[]) {
  return {
    "@odata.id": path,
    Id: path.slice(SYSTEMS.length + 1),
    UUID: uuid,
    Manufacturer: board.manufacturer,
    Model: board.model,
    PowerState: state,
    Actions: {
      "#ComputerSystem.Reset": {
        target: `${path}/Actions/ComputerSystem.Reset`,
        "ResetType@Redfish.AllowableValues": resetTypes,
      },
    },
  };
}

/** Answers one request; `authorization` is the header's value. */
export function answerRedfish(
  options: RedfishOptions,
  method: string,
  url: string,
  authorization: string | undefined,
  body: string,
): RedfishAnswer | "cut" {
  const { machine, uuid = UUID, board = BOARDS.ilo5 } = options;
  const { resetTypes = board.resetTypes } = options;
  const [own, neighbour] = [`${SYSTEMS}/${board.systemId}`, `${SYSTEMS}/2`];
  const json = (status: number, value: unknown): RedfishAnswer => ({ status, body: JSON.stringify(value) });
  const error = (status: number, code: string) => json(status, { error: { code } });
  const path = url.replace(/\/$/, "");
  if (path === "/redfish/v1") return json(200, { RedfishVersion: "1.6.0", Systems: { "@odata.id": SYSTEMS } });
  const expected = `Basic ${Buffer.from(`${ACCOUNT.user}:${ACCOUNT.password}`).toString("base64")}`;
  if (authorization !== expected) return error(401, "Base.1.0.NoValidSession");
  // The neighbour stands last: a client that takes the last member shoots the wrong machine.
  const members = options.hasNeighbour === true ? [own, neighbour] : [own];
  if (method === "GET" && path === SYSTEMS) {
    return json(200, { Members: members.map((id) => ({ "@odata.id": id })), "Members@odata.count": members.length });
  }
  if (method === "GET" && path === own) return json(200, system(path, uuid, machine.state(), board, resetTypes));
  if (method === "GET" && path === neighbour && members.length === 2) {
    return json(200, system(path, NEIGHBOUR_UUID, "On", board, resetTypes));
  }
  if (method !== "POST" || path !== `${own}/Actions/ComputerSystem.Reset`) {
    return error(404, "Base.1.0.ResourceMissingAtURI");
  }
  const type: unknown = JSON.parse(body).ResetType;
  if ((type !== "ForceOff" && type !== "On") || !resetTypes.includes(type)) {
    return error(400, "Base.1.0.ActionParameterNotSupported");
  }
  const result = machine.reset(type);
  if (result === "cut") return "cut";
  if (result.error !== undefined) return error(result.status, result.error);
  return options.answersTask === true ? json(202, { "@odata.id": "/redfish/v1/TaskService/Tasks/1" }) : json(204, "");
}

export interface RedfishServer {
  readonly port: number;
  readonly requests: readonly string[];
  close(): Promise<void>;
}

/** The board on a free port of 127.0.0.1. */
export function startRedfish(options: RedfishOptions): Promise<RedfishServer> {
  const requests: string[] = [];
  const server = createServer({ key: KEY, cert: CERTIFICATE }, (request, response) => {
    let body = "";
    request.on("data", (piece: Buffer) => (body += piece.toString()));
    request.on("end", () => {
      requests.push(`${request.method} ${request.url}`);
      const { authorization } = request.headers;
      const answer = answerRedfish(options, request.method ?? "", request.url ?? "", authorization, body);
      if (answer === "cut") {
        response.destroy();
        return;
      }
      response.writeHead(answer.status, { "content-type": "application/json", "odata-version": "4.0" });
      response.end(answer.status === 204 ? "" : answer.body);
    });
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve({
        port: typeof address === "object" && address !== null ? address.port : 0,
        requests,
        close: () => {
          server.closeAllConnections();
          return new Promise((closed) => server.close(() => closed()));
        },
      });
    });
  });
}
