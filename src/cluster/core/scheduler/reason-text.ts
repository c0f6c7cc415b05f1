/**
 * Every reason of every action: the words that the passes write (those of crm_simulate's reports), the stable code, and
 * a sentence in English and in Japanese. One table; `reasonFrom` finds the row, `reasonText` prints it.
 */
import type { Language } from "../../../base/language.ts";
import { entryOf } from "../../../base/record.ts";
import type { Reason } from "../transition/graph.ts";
import type { Action } from "./act/actions.ts";

interface ReasonRow {
  readonly code: string;
  /** With `{name}` for what differs from case to case. */
  readonly words: string;
  readonly en: string;
  readonly ja: string;
  /** Of an action that takes something down, where the same words mean the opposite. */
  readonly down?: Readonly<Record<Language, string>>;
}

const row = (code: string, words: string, en: string, ja: string): ReasonRow => ({ code, words, en, ja });

/** Of the rows with placeholders the first that fits counts; what a row says word for word comes before them all. */
const ROWS: readonly ReasonRow[] = [
  row("ordering", "", "a point in the order of what is done", "実行順序の節目"),
  {
    ...row("node-availability", "node availability", "it may run there", "そのノードで実行できるため"),
    down: { en: "it may not run there any more", ja: "そのノードではもう実行できないため" },
  },
  row("role", "role", "the role it is to have", "あるべき役割にするため"),
  row("move", "move", "it belongs on another node", "別のノードで実行すべきため"),
  row("failed", "failed", "it failed", "故障したため"),
  row("multiple-active", "multiple-active", "it is active on more than one node", "複数のノードで動作しているため"),
  row("migration", "migration", "it is handed over while running", "動作したまま引き渡すため"),
  row("dangling-migration", "dangling migration", "a migration ended half-way", "引き渡しが途中で終わったため"),
  row(
    "pending-start",
    "pending start",
    "a start of it was begun and never told of",
    "開始の結果が記録されていないため",
  ),
  row("no-quorum", "no quorum", "the cluster has no quorum", "クォーラムがないため"),
  row(
    "quorum-freeze",
    "quorum freeze",
    "without quorum nothing new is begun",
    "クォーラムがない間は新たに開始しないため",
  ),
  row("definition-changed", "resource definition change", "its definition was changed", "定義が変更されたため"),
  row(
    "reload",
    "definition change",
    "parameters were changed that it can take in while running",
    "動作したまま反映できるパラメータが変更されたため",
  ),
  row(
    "parameters-changed",
    "resource parameters have changed",
    "its parameters were changed",
    "パラメータが変更されたため",
  ),
  row("recurring", "recurring", "it is watched at intervals", "定期的に監視するため"),
  row("probe", "probe", "what runs there must be known first", "まず現在の状態を確かめるため"),
  row("notify", "notify", "the instances are told of each other", "インスタンスに通知するため"),
  row("cancel", "cancel", "it is not to be watched in this way any more", "この監視はもう不要なため"),
  row("removed", "orphan", "it is no longer configured", "構成から削除されたため"),
  row("record-removed", "it is removed", "it is no longer configured", "構成から削除されたため"),
  row("no-longer-configured", "removed", "it is no longer configured", "構成から削除されたため"),
  row("failure-expired", "it expired", "its failures have expired", "故障の記録が期限切れとなったため"),
  row("lock-ended", "lock has ended", "its shutdown lock has ended", "シャットダウンロックが終了したため"),
  row("node-shutdown", "node shutdown", "the node is leaving", "ノードが停止処理中のため"),
  row(
    "device-changed",
    "Device parameters changed",
    "a fencing device that lets the node in was changed",
    "ノードの復帰を許可するフェンシング装置の定義が変更されたため",
  ),
  row(
    "required-unfencing",
    "required stonith",
    "the node must be let in again first",
    "先にノードの復帰許可を要するため",
  ),
  row("container-restart", "restart container", "its container is restarted", "コンテナを再起動するため"),
  row("node-maintenance", "node maintenance", "its node goes into maintenance", "ノードがメンテナンスに入るため"),
  row("agent-changed", "agent change", "its agent was changed", "エージェントが変更されたため"),
  row(
    "resources-unreachable",
    "resources are active but connection is unrecoverable",
    "resources run there and it cannot be reached again",
    "リソースが動作中のノードに再接続できないため",
  ),
  row(
    "instance-limit",
    "instance limit",
    "the clone has all instances it may have",
    "クローンのインスタンス数が上限のため",
  ),
  row("stop-all", "cluster-wide stop", "all resources are to be stopped", "全リソースの停止が指示されているため"),
  row("guest-unclean", "guest is unclean", "the guest's container failed", "ゲストのコンテナが故障したため"),
  row("node-unclean", "node is unclean", "the node's state is unknown", "ノードの状態が不明なため"),
  row(
    "peer-left",
    "peer is no longer part of the cluster",
    "the node left without a word",
    "ノードが予告なくクラスタから離れたため",
  ),
  row(
    "peer-process",
    "peer process is no longer available",
    "the node's cluster service is gone",
    "ノードのクラスタサービスが応答しないため",
  ),
  row(
    "peer-criteria",
    "peer failed Pacemaker membership criteria",
    "the node was not let in",
    "ノードの参加が認められなかったため",
  ),
  row(
    "partly-down",
    "node is partially and/or un-expectedly down",
    "the node is down in part or unexpectedly",
    "ノードが一部または予期せず停止しているため",
  ),
  row("fencing-requested", "fencing was requested", "somebody asked for it", "フェンシングが要求されたため"),
  row(
    "self-fencing",
    "cluster does not have quorum",
    "this side has no quorum and must give itself up",
    "クォーラムを失った側は停止しなければならないため",
  ),
  row(
    "ticket-lost",
    "deadman ticket was lost",
    "a ticket was lost whose loss demands fencing",
    "喪失時にフェンシングを要するチケットを失ったため",
  ),
  row(
    "connection-lost",
    "remote connection is unrecoverable",
    "the remote node cannot be reached again",
    "リモートノードに再接続できないため",
  ),
  row(
    "connection-lost-active",
    "resources are active but connection is unrecoverable",
    "resources run on the remote node, and it cannot be reached again",
    "リモートノードでリソースが動作中のまま再接続できないため",
  ),
  row(
    "connection-lost-unknown",
    "resources are in unknown state and connection is unrecoverable",
    "nobody can tell what runs on the remote node, and it cannot be reached again",
    "リモートノードで動作中のリソースを確認できず、再接続もできないため",
  ),
  row("restart-container", "restart container", "its container is to start anew", "コンテナを再起動するため"),
  row(
    "failed-there",
    "{resource} failed there",
    "{resource} failed there in a way that only fencing answers",
    "{resource} がフェンシングを要する故障を起こしたため",
  ),
  row(
    "active-while-disconnected",
    "{resource} is active there (fencing will be revoked if remote connection can be re-established elsewhere)",
    "{resource} runs on the remote node, and nobody can connect to it again",
    "{resource} がリモートノードで動作中のまま、どこからも再接続できないため",
  ),
  row(
    "maybe-active",
    "{resource} is thought to be active there",
    "{resource} may still run there",
    "{resource} がまだ動作している可能性があるため",
  ),
  row(
    "colocation",
    "colocation with {resource}",
    "it must not run without {resource}",
    "{resource} と同じノードでなければならないため",
  ),
  row("required", "required {step}", "it goes with: {step}", "{step} に伴うため"),
  row(
    "unmigrateable",
    "unmigrateable {step}",
    "this cannot move without a stop: {step}",
    "動作したままの移動ができないため: {step}",
  ),
  row("unrunnable", "unrunnable {step}", "this cannot be done: {step}", "{step} が実行できないため"),
];

const literally = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");

const PLACEHOLDER = /\{\w+\}/;
/** The first row of the same words counts. */
const LITERAL = new Map(
  ROWS.filter(({ words }) => !PLACEHOLDER.test(words))
    .toReversed()
    .map(({ words, code }) => [words, code]),
);
const PATTERNS = ROWS.filter(({ words }) => PLACEHOLDER.test(words)).map((each) => {
  const parts = each.words.split(/(\{\w+\})/);
  const source = parts.map((part) => (part.startsWith("{") ? `(?<${part.slice(1, -1)}>.+)` : literally(part))).join("");
  return { code: each.code, pattern: new RegExp(`^${source}$`) };
});
const BY_CODE = new Map(ROWS.map((each) => [each.code, each]));

/** All codes, for whoever must know them all. */
export const REASON_CODES: readonly string[] = ROWS.map(({ code }) => code);

/** From the passes' words to code and facts. Words that no row knows keep their text under the code `other`. */
export function reasonFrom(words: string): Reason {
  const literal = LITERAL.get(words);
  if (literal !== undefined) return { code: literal, facts: {} };
  for (const { code, pattern } of PATTERNS) {
    const match = pattern.exec(words);
    if (match !== null) return { code, facts: { ...match.groups } };
  }
  return { code: "other", facts: { words } };
}

/** Of a step: reports say nothing of a start that is given again and of what is in no role of its own; we do. */
export function reasonOf({ reason, kind, alone }: Pick<Action, "reason" | "kind" | "alone">): Reason {
  if (reason !== "" || kind !== "resource") return reasonFrom(reason);
  return reasonFrom(alone ? "pending start" : "role");
}

const DOWN = ["stop", "demote"];

/** `operation`: of the action, where the same words mean coming and going. */
export function reasonText({ code, facts }: Reason, language: Language = "en", operation = ""): string {
  const known = BY_CODE.get(code);
  const template = (DOWN.includes(operation) ? known?.down?.[language] : undefined) ?? known?.[language];
  if (template === undefined) return facts["words"] ?? code;
  return template.replaceAll(/\{(\w+)\}/g, (whole, name: string) => entryOf(facts, name) ?? whole);
}

/** Every sentence in both languages, with `{1}`, `{2}`, ... for what differs: for what was written down in English. */
export function reasonPhrases(): readonly (readonly [english: string, japanese: string])[] {
  const texts = ROWS.flatMap(({ en, ja, down }) => [
    [en, ja] as const,
    ...(down === undefined ? [] : [[down.en, down.ja] as const]),
  ]);
  return texts.map(([en, ja]) => {
    const names = [...new Set(en.match(/\{\w+\}/g) ?? [])];
    const numbered = (text: string) =>
      names.reduce((told, name, index) => told.replaceAll(name, `{${index + 1}}`), text);
    return [numbered(en), numbered(ja)] as const;
  });
}
