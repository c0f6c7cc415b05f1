/** What the levels history, cluster, corosync and script of the crm shell say of errors, in Japanese. */
import type { Phrases } from "./translate.ts";

export const SHELL_LEVELS_JA: Phrases = [
  ["{1} is not carried out here: {2}", "{1} はここでは実行しません: {2}"],
  ["{1}: a level of its own; help {2} lists it", "{1}: レベルの名前です。help {2} で一覧します"],
  // history
  ["crm: without {1}", "crm: 次の情報はありません: {1}"],
  ["crm: {1}: no regular expression", "crm: {1} は正規表現ではありません"],
  [
    'crm: {1} is no time; write 10min (ago), 13:05, "Jul 18 12:00" or "2026-07-18 12:00:00"',
    'crm: {1} は時刻ではありません。10min（前）、13:05、"Jul 18 12:00"、"2026-07-18 12:00:00" のように書いてください',
  ],
  ["crm: there is no log of {1}; there are those of {2}", "crm: {1} のログはありません。あるのは {2} のログです"],
  [
    "crm: where is the black box? history source DIRECTORY, as in /data/gemel/state/journal",
    "crm: ブラックボックスの場所が分かりません。history source ディレクトリ（例: /data/gemel/state/journal）で指定してください",
  ],
  ["{1}: no black box of that time is there", "{1}: その期間のブラックボックスはありません"],
  [
    "crm: no decision of that time is in {1}: only the DC decides, so ask there (history info names it), " +
      "or look further back: history limit 24h",
    "crm: その期間の判断は {1} にありません。判断するのは DC だけなので、DC で実行するか（history info で分かります）、" +
      "期間を広げてください: history limit 24h",
  ],
  [
    "crm: there is no decision {1} in that time; history transitions lists them",
    "crm: その期間に判断 {1} はありません。history transitions で一覧できます",
  ],
  [
    "crm: dot -T{1}: {2}; without a format its text is written",
    "crm: dot -T{1}: {2}。形式を省くとテキストを書き出します",
  ],
  ["crm: {1}: there is one, or no name for one", "crm: {1} はすでにあるか、写しの名前に使えません"],
  ["{1}: line {2}: not XML: {3}", "{1}: {2} 行目: XML ではありません: {3}"],
  ["crm: {1}: line {2}: not XML: {3}", "crm: {1}: {2} 行目: XML ではありません: {3}"],
  ["{1}: no log of a node is in it", "{1}: ノードのログが入っていません"],
  ["crm: {1} is a report already", "crm: {1} はすでにレポートです"],
  [
    "crm: there is no history session {1}; history session list tells which there are",
    "crm: history のセッション {1} はありません。history session list で一覧できます",
  ],
  ["crm: {1} holds no history session", "crm: {1} は history のセッションではありません"],
  ["the nodes are those of the cluster, or of the report", "ノードはクラスタ、またはレポートのノードです"],
  // cluster, corosync
  [
    "systemd does not know {1} on this node: its own init system has to {2} gemel",
    "このノードの systemd に {1} はありません。このノードの init システムで gemel を {2} してください",
  ],
  [
    "crm: systemd does not know {1} on this node: its own init system has to {2} gemel",
    "crm: このノードの systemd に {1} はありません。このノードの init システムで gemel を {2} してください",
  ],
  ["systemctl {1} {2}: {3}", "systemctl {1} {2}: 失敗: {3}"],
  [
    "{1}: of this node alone; there, type: crm cluster {2}",
    "{1}: このノードでしか実行できません。そのノードで実行してください: crm cluster {2}",
  ],
  ["waiting until the manager of this node answers", "このノードのマネージャの応答を待っています"],
  [
    "there is no Corosync here; the links stand in the node configuration: docs/operations",
    "Corosync は使っていません。リンクはノード設定にあります: docs/operations",
  ],
  [
    "a node reads its configuration when it starts: crm cluster restart, one node after the other",
    "ノード設定は起動時に読まれます。1 台ずつ順に crm cluster restart を実行してください",
  ],
  [
    "fencing disks: gemel fence disk list|create DISK; which one a node reads stands in its node configuration",
    "フェンシング用ディスクは gemel fence disk list|create DISK です。どのディスクを読むかはノード設定にあります",
  ],
  // script
  ["crm script list, show, verify and run tell in text", "crm script list、show、verify、run はテキストで出力します"],
  ["crm: there is no script {1}; there are {2}", "crm: スクリプト {1} はありません。あるのは {2} です"],
  [
    "{1} has no parameter {2}; script show {3} lists them",
    "{1} にパラメータ {2} はありません。script show {3} で一覧できます",
  ],
  [
    "crm: {1} has no parameter {2}; script show {3} lists them",
    "crm: {1} にパラメータ {2} はありません。script show {3} で一覧できます",
  ],
  [
    "{1} lacks {2}; script show {3} tells what they are",
    "{1} には {2} が必要です。意味は script show {3} で見られます",
  ],
  [
    "crm: {1} lacks {2}; script show {3} tells what they are",
    "crm: {1} には {2} が必要です。意味は script show {3} で見られます",
  ],
  // the shell itself
  [
    "crm: --scriptdir has no effect here: crm script list",
    "crm: --scriptdir は使われません。スクリプトは crm script list で一覧できます",
  ],
  [
    "crm: -o {1}: there is no such option; crm help options lists them",
    "crm: -o {1}: そのようなオプションはありません。crm help options で一覧できます",
  ],
  ["the copy {1} exists already; cib delete {2}", "写し {1} はすでにあります。cib delete {2} で消せます"],
  ["{1}: line {2}: {3}", "{1}: {2} 行目: {3}"],
];
