/** What the clients of the control socket and the crm shell say of errors, in Japanese. */
import type { Phrases } from "./translate.ts";

export const SHELL_JA: Phrases = [
  // control-client.ts, settle.ts
  ["a line longer than {1} characters", "{1} 文字を超える行です"],
  ["no manager answers at {1}: {2}", "{1} でマネージャが応答しません: {2}"],
  [
    "the manager (process {1}) begins, ends or hangs; ask again in a minute, or the other node",
    "マネージャ（プロセス {1}）は起動中、終了中、または停止状態です。1 分後に再実行するか、相手ノードで実行してください",
  ],
  [
    "gemel does not run on this node; keep the evidence (gemel report), then: systemctl start gemel",
    "このノードで gemel は動いていません。証拠を保存し (gemel report)、その後: systemctl start gemel",
  ],
  [
    "the keeper (process {1}) starts it anew, and ends this node for its peer if that fails; " +
      "what runs here runs on; keep the evidence (gemel report), ask again in a minute, or the other node",
    "キーパー（プロセス {1}）がマネージャを再起動します。失敗が続けば、相手が引き継げるようこのノードを終了します。" +
      "稼働中のリソースは動き続けます。証拠を保存し (gemel report)、1 分後に再実行するか、相手ノードで実行してください",
  ],
  [
    "{1} is closed to this user; be root, or in the group haclient",
    "{1} はこのユーザーには使えません。root か、グループ haclient の一員で実行してください",
  ],
  ["the manager answered something that is no line of its protocol", "マネージャの応答がプロトコルの行ではありません"],
  ["no answer within {1} ms: {2}", "{1} ms 以内に応答がありませんでした: {2}"],
  ["the manager closed the connection", "マネージャが接続を閉じました"],
  [
    "--output-as={1}: only text is written here; for programs: gemel status --json",
    "--output-as={1}: テキストのみ出力できます。プログラム用には gemel status --json を使ってください",
  ],
  [
    "--output-to: let the shell do it, as in COMMAND > FILE",
    "--output-to: シェルで COMMAND > FILE のようにしてください",
  ],
  ["not settled after {1} s; see gemel status", "{1} 秒たっても落ち着きません。gemel status を見てください"],
  // cib-door.ts
  ["correct CIB_file or CIB_shadow", "CIB_file または CIB_shadow を正してください"],
  ["there is no CIB file {1}", "CIB のファイル {1} はありません"],
  ["give a CIB as XML", "CIB を XML で渡してください"],
  ["<{1}> is no <cib>", "<{1}> は <cib> ではありません"],
  ["what would be left is no whole CIB", "変更の結果が CIB 全体になりません"],
  ["give a <cib> with its configuration and status", "configuration と status を含む <cib> を渡してください"],
  ["the CIB has no configuration", "CIB に configuration がありません"],
  ["give a whole CIB", "CIB 全体を渡してください"],
  ["the CIB is not whole", "CIB が全体ではありません"],
  ["give one", "全体を渡してください"],
  ["the CIB has no status", "CIB に status がありません"],
  ["name another", "別のものを指定してください"],
  [
    "{1} needs a running cluster, and {2} stands in for it",
    "{1} には動いているクラスタが必要ですが、今はファイル {2} を使っています",
  ],
  // crm
  ["crm: {1} is not carried out here: {2}", "crm: {1} はここでは実行しません: {2}"],
  [
    "there is no Corosync here; the links stand in the node configuration, see gemel status",
    "Corosync は使っていません。リンクはノード設定にあり、gemel status で見られます",
  ],
  [
    "write the agent's own trace with: crm_resource --force-check -r RESOURCE, or set trace_ra=1 on an op",
    "エージェントの記録は crm_resource --force-check -r RESOURCE か、op に trace_ra=1 を付けて取ってください",
  ],
  ["delete trace_ra from the op: crm configure edit", "op から trace_ra を削除してください: crm configure edit"],
  [
    "secrets of fencing devices stand in the CIB, which only root reads, and are masked in every report",
    "フェンシング機器の秘密は root だけが読める CIB にあり、レポートでは常に伏せられます",
  ],
  [
    "the state of a node is what the cluster sees; crm node fence switches one off, fence confirm says it is",
    "ノードの状態はクラスタが見たものです。電源を切るには crm node fence、切れたことの確認は fence confirm です",
  ],
  [
    "crm configure simulate shows what would be done; gemel simulate -D FILE draws it",
    "crm configure simulate で何が行われるか分かります。図は gemel simulate -D FILE で描けます",
  ],
  [
    "crm_resource --force-check -r RESOURCE runs an agent by hand on this node",
    "crm_resource --force-check -r RESOURCE で、このノードのエージェントを手動で実行できます",
  ],
  [
    "crm ra info AGENT tells the advised times; write them: op start timeout=...",
    "推奨時間は crm ra info AGENT で分かります。op start timeout=... のように書いてください",
  ],
  [
    "a node is set up by its node configuration: gemel import, or docs/operations/node-configuration.md",
    "ノードの設定は gemel import か docs/operations/node-configuration.md の通りに行ってください",
  ],
  ["the init system starts gemel on each node", "gemel は各ノードの init システムが起動します"],
  ["the init system stops gemel on each node, in order", "gemel は各ノードの init システムが順に停止します"],
  ["fencing disks: gemel fence disk", "フェンシング用ディスクは gemel fence disk を使ってください"],
  [
    "scripts of crmsh are not carried along: write the statements, or crm configure template",
    "crmsh のスクリプトはありません。構文を書くか、crm configure template を使ってください",
  ],
  ["crm configure template makes ready configurations", "crm configure template で定型の設定を作れます"],
  ["the copy {1} exists already; add force", "写し {1} はすでにあります。force を付けてください"],
  ["there is no copy {1}; cib new {2} makes one", "写し {1} はありません。cib new {2} で作れます"],
  ["there is no copy {1}", "写し {1} はありません"],
  ["the copy {1} is in force: {2}", "写し {1} を有効にしました: {2}"],
  [
    "crm: not waited for any longer; what was asked of the cluster goes on there",
    "crm: 待つのをやめます。クラスタに求めたことはそのまま続きます",
  ],
  ["crm: the history of lines is not kept: {1}", "crm: 入力の履歴を保存できません: {1}"],
  [
    'crm: there is no help for "{1}"; help lists the commands',
    'crm: "{1}" の説明はありません。help で一覧を表示します',
  ],
  ["crm: there is no object {1}", "crm: オブジェクト {1} はありません"],
  ["crm: there is no object {1}; nothing was deleted", "crm: オブジェクト {1} はありません。何も削除していません"],
  ["crm: nothing was changed", "crm: 何も変更していません"],
  ["deleted along with {1}: {2}", "{1} と共に削除しました: {2}"],
  [
    "crm: {1} sets no {2}; write the statement with it",
    "crm: {1} に {2} の設定はありません。それを含めて構文を書いてください",
  ],
  ["crm: {1} is not set, and has no default", "crm: {1} は設定されておらず、既定値もありません"],
  ["exit code {1}", "終了コード {1}"],
  ["crm: the filter failed ({1})", "crm: フィルタが失敗しました（{1}）"],
  ["usage: configure {1} {2}", "使い方: configure {1} {2}"],
  ["crm: configure has no command {1}", "crm: configure にコマンド {1} はありません"],
  [
    "crm: configure has no command {1}; did you mean {2}?",
    "crm: configure にコマンド {1} はありません。{2} のことですか",
  ],
  ["crm: there is no resource {1}", "crm: リソース {1} はありません"],
  [
    "crm: {1} has not stopped within {2} s; it is not started again",
    "crm: {1} が {2} 秒以内に停止しないため、再起動しません",
  ],
  ["crm: {1} does not set {2}", "crm: {1} に {2} の設定はありません"],
  ["; did you mean {1}?", "。{1} のことですか"],
  ["; start the shell as crm -w", "。crm -w で起動してください"],
  ["crm: {1} has no effect here{2}", "crm: {1} はここでは効果がありません{2}"],
  [
    "crm: there is no agent {1}; crm ra list ocf names them",
    "crm: エージェント {1} はありません。crm ra list ocf で一覧を見られます",
  ],
  ["crm: ocf:{1}:{2} does not describe itself: {3}", "crm: ocf:{1}:{2} は自分の説明（meta-data）を返しません: {3}"],
  ["crm: line {1}: not XML: {2}", "crm: {1} 行目: XML ではありません: {2}"],
  ["crm: the manager sent a CIB without a configuration", "crm: マネージャの CIB に configuration がありません"],
  ["nothing to commit", "コミットする変更はありません"],
  ["crm: the change is not in force", "crm: 変更は有効になっていません"],
  ["There are uncommitted changes. Commit them (y/n)? ", "コミットしていない変更があります。コミットしますか (y/n)? "],
  [
    'crm: {1} does not know "{2}", or not so; help lists its commands',
    "crm: {1} に「{2}」はないか、使い方が違います。help でコマンドの一覧を見られます",
  ],
  ["crm: stopped at line {1}", "crm: {1} 行目で中止しました"],
  ["a configuration without a name", "名前のない設定です"],
  ["{1} is no name", "{1} は名前になりません"],
  ["there is no template {1}; there are {2}", "テンプレート {1} はありません。あるのは {2} です"],
  ["{1} exists already; template delete {2} drops it", "{1} はすでにあります。template delete {2} で削除できます"],
  ["{1} has no parameter {2}", "{1} にパラメータ {2} はありません"],
  [
    "there is no configuration {1}; template list names them",
    "設定 {1} はありません。template list で一覧を見られます",
  ],
  ["there is no configuration {1}", "設定 {1} はありません"],
  ["{1} lacks {2}; fill it in with template edit {3}", "{1} に {2} がありません。template edit {3} で埋めてください"],
  ["which configuration? template apply [update|replace] NAME", "どの設定ですか: template apply [update|replace] NAME"],
  ["which configuration? template {1} NAME", "どの設定ですか: template {1} NAME"],
  ["crm: the editor {1} failed; nothing was changed", "crm: エディタ {1} が失敗しました。何も変更していません"],
  ["crm: {1} cannot be read: {2}", "crm: {1} を読めません: {2}"],
  ["crm: {1} cannot be written: {2}", "crm: {1} に書けません: {2}"],
];
