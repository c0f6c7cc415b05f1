/** A proof as text, in English or Japanese. */
import type { Language } from "../../../../base/language.ts";
import { entryOf } from "../../../../base/record.ts";
import { scoreText } from "../print/score-lines.ts";
import { reasonText } from "../reason-text.ts";
import type { Change, Goal, Obstacle, Preference } from "./change.ts";
import { isHeldBackOn, type NodeVerdict, type Unusable } from "./conclusion.ts";
import type { CitedFact, FactKind } from "./fact.ts";
import type { Citation, Effect, Proof } from "./prove.ts";

type Sentence = Readonly<Record<Language, string>>;
const both = (en: string, ja: string): Sentence => ({ en, ja });

const FACTS: Readonly<Record<FactKind, Sentence>> = {
  option: both("cluster option {name}={value}", "クラスタオプション {name}={value}"),
  default: both("{name}={value} by {section}", "{section} の {name}={value}"),
  meta: both("{resource} has {name}={value}", "{resource} の {name}={value}"),
  utilization: both("{resource} takes {name}={value}", "{resource} の必要量 {name}={value}"),
  "node-attribute": both("node {node} has {name}={value}", "ノード {node} の属性 {name}={value}"),
  "node-capacity": both("node {node} offers {name}={value}", "ノード {node} の容量 {name}={value}"),
  "node-score": both("node {node} is worth {score} to all", "ノード {node} の全リソース共通スコア {score}"),
  location: both("location {id}: {resource} on {node} {score}", "配置制約 {id}: {resource} をノード {node} に {score}"),
  "location-rule": both(
    "location {id}: {resource} by a rule, {score}",
    "配置制約 {id}: ルールにより {resource} に {score}",
  ),
  colocation: both(
    "colocation {id}: {dependent} with {primary} {score}",
    "同居制約 {id}: {dependent} を {primary} と同居 {score}",
  ),
  order: both("order {id}: {first} before {second}", "順序制約 {id}: {first} の後に {second}"),
  "ticket-constraint": both("{id}: {resource} needs ticket {ticket}", "{id}: {resource} はチケット {ticket} を要する"),
  ticket: both(
    "ticket {id}: granted={granted} standby={standby}",
    "チケット {id}: granted={granted} standby={standby}",
  ),
  "fail-count": both("failures counted on {node}: {name}={value}", "ノード {node} の故障回数: {name}={value}"),
  "last-failure": both("last failure on {node}: {name}={value}", "ノード {node} の最終故障時刻: {name}={value}"),
  "promotion-score": both(
    "claim to be promoted on {node}: {name}={value}",
    "ノード {node} の昇格スコア: {name}={value}",
  ),
  "transient-attribute": both("node {node} reports {name}={value}", "ノード {node} の一時属性 {name}={value}"),
  "node-unclean": both("node {node} is unclean", "ノード {node} の状態が不明"),
  "node-down": both("node {node} is not up", "ノード {node} が稼働していない"),
  "shutdown-lock": both(
    "{resource} is locked to node {node}, which was shut down while it ran there (shutdown-lock)",
    "{resource} は、稼働中に停止されたノード {node} の復帰を待っている (shutdown-lock)",
  ),
  operation: both(
    "recorded on {node}: {resource} {task} ended with {code}",
    "ノード {node} の記録: {resource} の {task} の結果は {code}",
  ),
  "on-fail": both("{resource}: {name} has on-fail={value}", "{resource} の {name} の on-fail={value}"),
  "no-fencing": both(
    "nothing is acted on: fencing is enabled, but there is neither a fencing device nor a watchdog",
    "フェンシングが有効なのにフェンシング装置もウォッチドッグもないため、何も実行されない",
  ),
  "no-quorum": both("the cluster has no quorum", "クラスタにクォーラムがない"),
  resource: both("{resource} takes its place among the nodes, too", "{resource} も同じノード群に配置される"),
};

const UNUSABLE: Readonly<Record<Unusable, Sentence>> = {
  offline: both("it is not up", "停止中"),
  unclean: both("what runs there is not known", "状態不明"),
  pending: both("it is still joining", "参加処理中"),
  leaving: both("it is shutting down", "停止処理中"),
  standby: both("it is on standby", "スタンバイ中"),
  maintenance: both("it is in maintenance", "メンテナンス中"),
};

const OBSTACLES: Readonly<Record<Obstacle["kind"], Sentence>> = {
  "bundle-node": both(
    "none: only what its bundle runs inside can be there",
    "なし: そのバンドルの中身だけが実行できる",
  ),
  "members-only": both("none: only a member of the cluster can run it", "なし: クラスタのメンバだけが実行できる"),
  "inside-bundle": both(
    "none: it runs only inside the containers of bundle {bundle}; ask why those are where they are",
    "なし: バンドル {bundle} のコンテナ内だけで実行される。コンテナの根拠を調べること",
  ),
  "like-instance": both(
    "none: {instance} is there, and it is all one which of the two is",
    "なし: 同等の {instance} が既にあり、どちらでも同じ",
  ),
  "not-configured": both(
    "none: it is not configured any more and is only to be stopped",
    "なし: 設定から削除済みで、停止されるだけ",
  ),
  "no-connection": both(
    "none: no resource is configured that connects to this remote node",
    "なし: このリモートノードへの接続リソースが設定されていない",
  ),
  "no-quorum": both("none was found while the cluster has no quorum", "見つからない: クラスタにクォーラムがない"),
  "connection-down": both(
    "none: the node is up only while its connection {connection} is; ask why that one is where it is",
    "なし: 接続 {connection} がある間だけ稼働するノード。{connection} の根拠を調べること",
  ),
  "none-found": both(
    "none was found: neither a preference nor what could be taken away brings it there",
    "見つからない: 配置の指定でも、取り除ける事実でも移動しない",
  ),
};

const WORDS = {
  nowhere: both("{resource} runs nowhere", "{resource} はどのノードでも実行されない"),
  runs: both("{resource} is {where}", "{resource}: {where}"),
  on: both("{role} on {node}", "{node} で {role}"),
  held: both("to be {role} on {node} (held back)", "{node} で {role} の予定 (保留中)"),
  leads: both(
    "it is the first member of group {group}: the scores are those of the whole group",
    "グループ {group} の先頭: スコアはグループ全体のもの",
  ),
  follows: both(
    "it is a member of group {group} and goes where {first} goes: the scores are those of the whole group",
    "グループ {group} の一員で、{first} と同じノードで実行される: スコアはグループ全体のもの",
  ),
  score: both("score {score}", "スコア {score}"),
  promotion: both("claim to be promoted {score}", "昇格スコア {score}"),
  unusable: both("cannot run anything ({why})", "実行不可 ({why})"),
  usable: both("can run something", "実行可"),
  absent: both("not there", "実行なし"),
  unasked: both("not in question", "対象外"),
  unclaimed: both("none", "なし"),
  gone: both("gone", "なし"),
  blocked: both("blocked: {key}: {reason}", "実行待ち: {key}: {reason}"),
  decides: both(
    "Because of this (* without it the resource would be elsewhere, or in another role):",
    "根拠 (* それがなければ別のノードか別の役割になる):",
  ),
  weighs: both(
    "This counts, too, but changes nothing by itself (- without it only scores or what is held back would differ):",
    "その他の根拠 (- それがなくてもスコアや実行待ちだけが変わる):",
  ),
  nothing: both("  nothing: no fact of the CIB counts", "  なし: CIB のどの事実も影響しない"),
  any: both("each of these is enough:", "次のいずれか一つで十分:"),
  unblocks: both("{key} would not be held back", "{key} は保留されない"),
  blocks: both("{key} would be held back", "{key} は保留される"),
  changes: both("Smallest changes that would move it:", "移動させる最小の変更:"),
  remove: both("without: {facts}", "次を除く: {facts}"),
  prefer: both(
    "with a location constraint of {score} for {resource} on {node}",
    "{resource} の {node} への配置制約 {score} を加える",
  ),
  preferRole: both(
    "with a location constraint of {score} for {resource} as {role} on {node}",
    "{resource} の {node} での {role} への配置制約 {score} を加える",
  ),
  and: both(", and ", "、かつ "),
  incomplete: both("Not all facts could be tried.", "すべての事実は調べられなかった。"),
} satisfies Readonly<Record<string, Sentence>>;

function fill(sentence: Sentence, language: Language, values: Readonly<Record<string, string>>): string {
  return sentence[language].replaceAll(/\{(\w+)\}/g, (whole, name: string) => entryOf(values, name) ?? whole);
}

export function factText({ kind, values }: CitedFact, language: Language): string {
  return fill(FACTS[kind], language, values);
}

function verdictText(verdict: NodeVerdict | undefined, language: Language): string {
  if (verdict === undefined) return WORDS.gone[language];
  const { roles, score, promotion, unusable } = verdict;
  return [
    ...roles,
    ...(unusable === undefined ? [] : [fill(WORDS.unusable, language, { why: UNUSABLE[unusable][language] })]),
    score === undefined ? WORDS.unasked[language] : fill(WORDS.score, language, { score: scoreText(score) }),
    ...(promotion === undefined ? [] : [fill(WORDS.promotion, language, { score: scoreText(promotion) })]),
  ].join(", ");
}

/** What a verdict says of one thing, or nothing. */
type Aspect = (verdict: NodeVerdict | undefined, language: Language) => string | undefined;

const scoreWords: Aspect = (verdict, language) =>
  verdict?.score === undefined ? WORDS.unasked[language] : scoreText(verdict.score);

/** In this order they are told where they differ; a word of its own says what the numbers are. */
const ASPECTS: readonly { readonly word?: Sentence; readonly of: Aspect }[] = [
  { of: (verdict, language) => (verdict?.roles.length ? verdict.roles.join("+") : WORDS.absent[language]) },
  {
    of: (verdict, language) =>
      verdict?.unusable === undefined ? WORDS.usable[language] : UNUSABLE[verdict.unusable][language],
  },
  { word: WORDS.score, of: scoreWords },
  {
    word: WORDS.promotion,
    of: (verdict, language) =>
      verdict?.promotion === undefined ? WORDS.unclaimed[language] : scoreText(verdict.promotion),
  },
];

/** Only what differs, each as `before -> after`. */
function effectText({ before, after }: Effect, language: Language): string {
  if (after === undefined) return `${verdictText(before, language)} -> ${WORDS.gone[language]}`;
  return ASPECTS.flatMap(({ word, of }) => {
    const [was, is] = [of(before, language), of(after, language)];
    const change = `${was} -> ${is}`;
    return was === is ? [] : [word === undefined ? change : fill(word, language, { score: change })];
  }).join("; ");
}

function citationLines({ facts, effects, unblocks, blocks, moves }: Citation, language: Language): string[] {
  const [only] = facts;
  const mark = moves ? "*" : "-";
  const head =
    facts.length === 1 && only !== undefined
      ? [`  ${mark} ${factText(only, language)}`]
      : [`  ${mark} ${WORDS.any[language]}`, ...facts.map((fact) => `      | ${factText(fact, language)}`)];
  return [
    ...head,
    ...effects.map((effect) => `      ${effect.before.node}: ${effectText(effect, language)}`),
    ...unblocks.map((key) => `      ${fill(WORDS.unblocks, language, { key })}`),
    ...blocks.map((key) => `      ${fill(WORDS.blocks, language, { key })}`),
  ];
}

/** Those that decide come first, each kind under its heading. */
function groundLines(citations: readonly Citation[], language: Language): string[] {
  const told = (heading: Sentence, part: readonly Citation[]) =>
    part.length === 0 ? [] : ["", heading[language], ...part.flatMap((each) => citationLines(each, language))];
  if (citations.length === 0) return ["", WORDS.decides[language], WORDS.nothing[language]];
  return [
    ...told(
      WORDS.decides,
      citations.filter(({ moves }) => moves),
    ),
    ...told(
      WORDS.weighs,
      citations.filter(({ moves }) => !moves),
    ),
  ];
}

const goalText = ({ node, role }: Goal) => (role === undefined ? node : `${node} (${role})`);

function preferText(node: string, prefer: Preference, language: Language): string {
  const { resource, role = "" } = prefer;
  const sentence = prefer.role === undefined ? WORDS.prefer : WORDS.preferRole;
  return fill(sentence, language, { resource, score: scoreText(prefer.score), role, node });
}

function changeLine(change: Change, language: Language): string {
  const { node, remove, prefer } = change;
  const facts = remove.map((fact) => factText(fact, language)).join("; ");
  const parts = [
    ...(remove.length === 0 ? [] : [fill(WORDS.remove, language, { facts })]),
    ...(prefer === undefined ? [] : [preferText(node, prefer, language)]),
  ];
  return `  ${goalText(change)}: ${parts.join(WORDS.and[language])}`;
}

function obstacleLine(obstacle: Obstacle, language: Language): string {
  return `  ${goalText(obstacle)}: ${fill(OBSTACLES[obstacle.kind], language, { ...obstacle })}`;
}

function followingLines({ resource, following }: Proof, language: Language): string[] {
  if (following === undefined) return [];
  const { group, first } = following;
  return [`  (${fill(first === resource ? WORDS.leads : WORDS.follows, language, { group, first })})`];
}

/** The whole proof: what is so, on which grounds, what would change it. A `*` marks grounds that decide the node. */
export function proofText(proof: Proof, language: Language): string {
  const { resource, conclusion, citations, changes, obstacles, incomplete } = proof;
  const shown = conclusion.nodes.filter(({ node }) => proof.node === undefined || node === proof.node);
  const where = conclusion.nodes
    .filter(({ roles }) => roles.length > 0)
    .map(({ node, roles }) => {
      const isHeld = isHeldBackOn(conclusion, node, roles.length === 1 ? roles[0] : undefined);
      return fill(isHeld ? WORDS.held : WORDS.on, language, { role: roles.join("+"), node });
    });
  const isNowhere = where.length === 0;
  return [
    isNowhere
      ? fill(WORDS.nowhere, language, { resource })
      : fill(WORDS.runs, language, { resource, where: where.join(", ") }),
    ...shown.map((verdict) => `  ${verdict.node}: ${verdictText(verdict, language)}`),
    ...followingLines(proof, language),
    ...conclusion.blocked.map(({ key, operation, node, reason }) =>
      fill(WORDS.blocked, language, { key: `${key} ${node}`.trim(), reason: reasonText(reason, language, operation) }),
    ),
    ...groundLines(citations, language),
    ...(changes.length + obstacles.length === 0 ? [] : ["", WORDS.changes[language]]),
    ...changes.map((change) => changeLine(change, language)),
    ...obstacles.map((obstacle) => obstacleLine(obstacle, language)),
    ...(incomplete ? ["", WORDS.incomplete[language]] : []),
    "",
  ].join("\n");
}
