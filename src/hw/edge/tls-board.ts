/**
 * An encrypted line to a board whose certificate is pinned: boards sign their own, so only the fingerprint tells them
 * from an impostor. It is compared before a byte is sent, for the first bytes carry the password.
 * Old boards (iLO 1 and 2) speak TLS 1.0 with SHA1 only; `legacy` allows that for one board, and nothing else.
 */
import { connect, type TLSSocket } from "node:tls";
import { connectionFault, noConnection, type Place } from "./connection-fault.ts";

export interface TlsTarget {
  readonly host: string;
  readonly port: number;
  /** SHA-256 of the board's certificate, 64 hex digits in lower case. */
  readonly certificate: string;
  readonly isLegacy: boolean;
}

export type TlsOpened =
  | { readonly kind: "open"; readonly socket: TLSSocket }
  | { readonly kind: "refused"; readonly reason: string };

function describe(error: NodeJS.ErrnoException, place: Place): string {
  return /SSL|TLS|EPROTO/.test(error.code ?? "")
    ? `${place.host} speaks no TLS that we accept (${error.code}); for old boards write tls=legacy`
    : connectionFault(error, place);
}

/** Opens and checks; resolves within `budgetMs`. */
export function openTls(target: TlsTarget, budgetMs: number): Promise<TlsOpened> {
  const { host, port, certificate, isLegacy } = target;
  const place = { host, port, protocol: "TCP", service: "the board's web server" } as const;
  const old = { minVersion: "TLSv1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
  return new Promise((resolve) => {
    // The fingerprint below takes the place of the chain of authorities, which boards do not have.
    const socket = connect({ host, port, rejectUnauthorized: false, ...(isLegacy ? old : {}) });
    const end = (opened: TlsOpened) => {
      clearTimeout(timer);
      if (opened.kind === "refused") socket.destroy();
      resolve(opened);
    };
    const timer = setTimeout(() => end({ kind: "refused", reason: noConnection(place, budgetMs) }), budgetMs);
    socket.on("error", (error) => end({ kind: "refused", reason: describe(error, place) }));
    socket.once("secureConnect", () => {
      const seen = (socket.getPeerCertificate().fingerprint256 ?? "").replaceAll(":", "").toLowerCase();
      if (seen === certificate) end({ kind: "open", socket });
      else {
        const reason =
          `${host} shows another certificate (SHA-256 ${seen}) than the pinned one; ` +
          "compare it at the board, then correct the device's certificate";
        end({ kind: "refused", reason });
      }
    });
  });
}
