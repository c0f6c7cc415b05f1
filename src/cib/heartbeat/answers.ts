/** What is gathered from the lines of ha.cf, and the words in which a line is answered. */
import type { OldDevice } from "./old-devices.ts";
import type { Medium, Site, Verdict } from "./site.ts";

export type TimeName = keyof Site["times"];

/** What is gathered from line to line. */
export interface Draft {
  cluster: string | undefined;
  readonly nodes: string[];
  readonly times: Partial<Record<TimeName, number>>;
  readonly media: Medium[];
  readonly pings: { name: string; addresses: readonly string[] }[];
  port: number;
  baud: string;
  watchdog: string | undefined;
  failback: "on" | "off" | undefined;
  usesCrm: boolean;
  ipfail: boolean;
  linkAttributes: boolean;
  realtime: boolean;
  readonly devices: OldDevice[];
}

export interface Line {
  readonly place: string;
  readonly name: string;
  readonly words: readonly string[];
}

export type Answer =
  /** `written`: the line as it may be shown, where it holds a password. */
  | (Omit<Verdict, "place" | "written"> & { readonly written?: string })
  | { readonly kind: "wrong"; readonly reason: string; readonly remedy: string };
export type Handler = (draft: Draft, words: readonly string[], line: Line) => Answer;

export const taken = (text: string): Answer => ({ kind: "taken", text });
export const mapped = (text: string): Answer => ({ kind: "mapped", text });
export const refused = (text: string): Answer => ({ kind: "refused", text });
export const wrong = (reason: string, remedy: string): Answer => ({ kind: "wrong", reason, remedy });

export const notNeeded =
  (text: string): Handler =>
  () => ({ kind: "not-needed", text });

export const isTrue = (word: string | undefined) => /^(?:true|on|yes|y|1)$/i.test(word ?? "");
export const isFalse = (word: string | undefined) => /^(?:false|off|no|n|0)$/i.test(word ?? "");
