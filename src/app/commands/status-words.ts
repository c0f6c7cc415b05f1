/** The words of `gemel status` in each language: what stands around the names, numbers and states of the field. */
import type { Language } from "../../base/language.ts";

/** Units of a length of time, small to large. */
type Units = readonly [seconds: string, minutes: string, hours: string, days: string];

export interface StatusWords {
  readonly units: Units;
  /** The first line of all: whether somebody has to do something. */
  readonly verdict: (errors: number, warnings: number, first: string) => string;
  readonly head: (dc: string | undefined, hasQuorum: boolean, version: string, work: string) => string;
  readonly awaiting: string;
  readonly idle: string;
  readonly proofAwaited: (nodes: string) => string;
  readonly transition: (number: number, done: number, all: number, running: string) => string;
  readonly nodes: string;
  readonly thisNode: string;
  readonly link: (text: string) => string;
  readonly heard: (percent: number) => string;
  readonly downs: (count: number) => string;
  readonly resources: string;
  readonly stopped: string;
  readonly place: (role: string, node: string, since: string | undefined) => string;
  readonly unmanaged: string;
  readonly held: Readonly<Record<"block" | "no-fencing", string>>;
  readonly failed: (count: string, node: string) => string;
  readonly overrides: string;
  readonly overrideFrom: (what: string, node: string) => string;
  readonly override: (what: string, left: string | undefined, owner: string) => string;
  readonly timing: (deadtimeMs: number, goalMs: number | undefined, worstMs: number) => string;
  readonly lateness: (usualMs: number, worstMs: number) => string;
  /** `unlike`: who does it the other way; empty when all do the same. */
  readonly sealing: (hides: boolean, unlike: string) => string;
  readonly alarm: (ms: number) => string;
  readonly nowayout: string;
  readonly causedBoot: string;
  readonly sick: (ailment: string) => string;
  readonly fencing: (devices: string | undefined) => string;
  readonly noDevice: string;
  readonly drbd: (name: string, own: string, peer: string, link: string) => string;
  readonly outOfSync: (kib: number) => string;
  readonly frozen: string;
  readonly raceDelay: (others: string, delaySeconds: number) => string;
  readonly race: (first: string, told: string) => string;
  readonly noDelay: string;
  readonly proof: (device: string, node: string, told: string) => string;
  readonly unseen: string;
  readonly seen: (ago: string) => string;
  readonly counts: (left: string) => string;
  readonly tooOld: string;
  readonly failing: string;
  readonly unproven: string;
  readonly switched: (ago: string) => string;
  readonly fenced: (action: string, target: string, outcome: string, ago: string) => string;
  /** Of the live view: that nothing newer is to be had, and which of its lines are on the screen. */
  readonly old: (at: string, reason: string) => string;
  readonly foot: (first: number, last: number, count: number) => string;
}

const counted = (count: number, word: string) => `${count} ${word}${count === 1 ? "" : "s"}`;

const EN: StatusWords = {
  units: [" s", " min", " h", " d"],
  verdict: (errors, warnings, first) =>
    `${errors > 0 ? "NOT WELL" : "Well"}: ` +
    `${counted(errors, "error")}, ${counted(warnings, "warning")}; first: ${first}`,
  head: (dc, hasQuorum, version, work) =>
    `DC: ${dc ?? "none"}, ${hasQuorum ? "with" : "WITHOUT"} quorum; CIB ${version}; ${work}`,
  awaiting: "waiting for the other nodes",
  idle: "idle",
  proofAwaited: (nodes) => `WAITING for the proof that ${nodes} is off`,
  transition: (number, done, all, running) =>
    `transition ${number}: ${done} of ${all} done${running === "" ? "" : `, running ${running}`}`,
  nodes: "Nodes:",
  thisNode: "this node",
  link: (text) => `link ${text}`,
  heard: (percent) => `${percent} % of its beats`,
  downs: (count) => `was down ${count === 1 ? "once" : `${count} times`} lately`,
  resources: "Resources:",
  stopped: "stopped",
  place: (role, node, since) => `${role} on ${node}${since === undefined ? "" : ` for ${since}`}`,
  unmanaged: "unmanaged",
  held: { block: "BLOCKED", "no-fencing": "nothing to fence with: left as it is" },
  failed: (count, node) => `failed ${count} times on ${node}`,
  overrides: "Manual overrides:",
  overrideFrom: (what, node) => `${what} from ${node}`,
  override: (what, left, owner) => `${what}: ${left === undefined ? "for ever" : `for another ${left}`}, by ${owner}`,
  timing: (deadtimeMs, goalMs, worstMs) =>
    `Timing: deadtime ${deadtimeMs} ms${goalMs === undefined ? "" : ` for a takeover within ${goalMs} ms`}; ` +
    `longest silence of a living node ${Math.round(worstMs)} ms, ${Math.round(deadtimeMs - worstMs)} ms are left`,
  lateness: (usualMs, worstMs) => `own beats late by ${usualMs} ms (1 of 100), ${worstMs} ms at worst`,
  sealing: (hides, unlike) => {
    if (unlike === "") return "Packets: encrypted (AES-256-GCM)";
    if (hides) return `Packets: this node encrypts, ${unlike} DOES NOT: switch auth there, too`;
    return `Packets: ${unlike} encrypts, this node DOES NOT: switch auth here, too`;
  },
  alarm: (ms) => `, alarm ${ms} ms before`,
  nowayout: ", cannot be disarmed",
  causedBoot: "; the last boot was its doing",
  sick: (ailment) => `SICK: ${ailment}; the watchdog is not fed`,
  fencing: (devices) => `Fencing: ${devices === undefined ? "DISABLED by configuration" : `enabled; ${devices}`}`,
  noDevice: "no device",
  drbd: (name, own, peer, link) => `DRBD ${name}: ${own} here, ${peer} at the peer, ${link}`,
  outOfSync: (kib) => `, ${kib} KiB out of sync`,
  frozen: ", I/O FROZEN",
  raceDelay: (others, delaySeconds) => `${others} waits ${delaySeconds} s`,
  race: (first, told) => `if the nodes lose each other: ${first} fences first; ${told}`,
  noDelay: "nobody waits, and both may die",
  proof: (device, node, told) => `${device} by ${node}: ${told}`,
  unseen: "not seen yet",
  seen: (ago) => `seen well ${ago} ago`,
  counts: (left) => `, counts for another ${left}`,
  tooOld: ", TOO OLD",
  failing: ", FAILING NOW",
  unproven: ", NOT PROVEN",
  switched: (ago) => `; really switched ${ago} ago`,
  fenced: (action, target, outcome, ago) => `${action} of ${target}: ${outcome}, ${ago} ago`,
  old: (at, reason) => `NO ANSWER since ${at}: ${reason}. OLD NEWS:`,
  foot: (first, last, count) =>
    last - first + 1 < count ? `${first}-${last} of ${count} (arrows, space; q: quit)` : "(q: quit)",
};

const JA: StatusWords = {
  units: ["秒", "分", "時間", "日"],
  verdict: (errors, warnings, first) =>
    `${errors > 0 ? "異常" : "稼働中"}: エラー ${errors} 件、警告 ${warnings} 件。最初の問題: ${first}`,
  head: (dc, hasQuorum, version, work) =>
    `DC: ${dc ?? "なし"}、クォーラム${hasQuorum ? "あり" : "なし"}、CIB ${version}、${work}`,
  awaiting: "他のノードを待機中",
  idle: "実行中の処理なし",
  proofAwaited: (nodes) => `${nodes} の停止の証明を待機中`,
  transition: (number, done, all, running) =>
    `遷移 ${number}: ${all} 件中 ${done} 件完了${running === "" ? "" : `、実行中 ${running}`}`,
  nodes: "ノード:",
  thisNode: "このノード",
  link: (text) => `リンク ${text}`,
  heard: (percent) => `ハートビートの ${percent} % を受信`,
  downs: (count) => `最近 ${count} 回切断`,
  resources: "リソース:",
  stopped: "停止",
  place: (role, node, since) => `${node} で ${role}${since === undefined ? "" : ` (${since})`}`,
  unmanaged: "管理対象外",
  held: { block: "ブロック中", "no-fencing": "フェンシング手段がなく、現状のまま" },
  failed: (count, node) => `${node} で故障 ${count} 回`,
  overrides: "手動の設定:",
  overrideFrom: (what, node) => `${what} (${node} から)`,
  override: (what, left, owner) => `${what}: ${left === undefined ? "無期限" : `あと ${left}`}、設定者 ${owner}`,
  timing: (deadtimeMs, goalMs, worstMs) =>
    `時間: deadtime ${deadtimeMs} ms${goalMs === undefined ? "" : ` (引き継ぎ目標 ${goalMs} ms)`}、` +
    `稼働ノードの最長の無応答 ${Math.round(worstMs)} ms、余裕 ${Math.round(deadtimeMs - worstMs)} ms`,
  lateness: (usualMs, worstMs) => `自ハートビートの遅れ ${usualMs} ms (100 回に 1 回)、最大 ${worstMs} ms`,
  sealing: (hides, unlike) => {
    if (unlike === "") return "パケット: 暗号化 (AES-256-GCM)";
    if (hides) return `パケット: このノードは暗号化、${unlike} は暗号化なし。${unlike} でも auth を切り替えること`;
    return `パケット: ${unlike} は暗号化、このノードは暗号化なし。ここでも auth を切り替えること`;
  },
  alarm: (ms) => `、${ms} ms 前に警報`,
  nowayout: "、解除不可",
  causedBoot: "、前回の再起動はこれによる",
  sick: (ailment) => `異常: ${ailment}。watchdog の更新を停止中`,
  fencing: (devices) => `フェンシング: ${devices === undefined ? "設定で無効" : `有効、${devices}`}`,
  noDevice: "デバイスなし",
  drbd: (name, own, peer, link) => `DRBD ${name}: 自ノード ${own}、相手 ${peer}、${link}`,
  outOfSync: (kib) => `、未同期 ${kib} KiB`,
  frozen: "、I/O 停止中",
  raceDelay: (others, delaySeconds) => `${others} は ${delaySeconds} 秒待つ`,
  race: (first, told) => `ノード間の通信が切れた場合: ${first} が先にフェンシング、${told}`,
  noDelay: "どちらも待たず、相撃ちの恐れがある",
  proof: (device, node, told) => `${device} (${node} から): ${told}`,
  unseen: "未確認",
  seen: (ago) => `${ago}前に確認`,
  counts: (left) => `、あと ${left}有効`,
  tooOld: "、期限切れ",
  failing: "、現在失敗中",
  unproven: "、証明なし",
  switched: (ago) => `、実際の電源操作は ${ago}前`,
  fenced: (action, target, outcome, ago) => `${target} の ${action}: ${outcome}、${ago}前`,
  old: (at, reason) => `${at} から応答なし: ${reason}。以下は古い情報:`,
  foot: (first, last, count) =>
    last - first + 1 < count ? `${count} 行中 ${first}-${last} (矢印・スペース、q: 終了)` : "(q: 終了)",
};

export const STATUS_WORDS: Readonly<Record<Language, StatusWords>> = { en: EN, ja: JA };

/** `3 min`, `2 h 5 min`, `4 d`. */
export function spanText(durationMs: number, { units }: StatusWords): string {
  const [second, minute, hour, day] = units;
  const seconds = Math.max(0, Math.round(durationMs / 1000));
  if (seconds < 120) return `${seconds}${second}`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes}${minute}`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours}${hour} ${minutes % 60}${minute}` : `${Math.floor(hours / 24)}${day}`;
}
