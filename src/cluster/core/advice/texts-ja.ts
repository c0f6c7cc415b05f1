/** Advice in Japanese. Commands, ids and words of the cluster stay as they are typed. */
import { entryOf } from "../../../base/record.ts";
import type { Texts, Values } from "./texts.ts";

const HINTS: Readonly<Record<string, string>> = {
  database: "高負荷(バッチ・ウイルススキャン)、max_connections 超過、pg_hba.conf の編集、/tmp 配下の削除、ログの所有者",
  storage: "multipathd・iSCSI の起動漏れ、ケーブル、マウント時の fsck、マウントを掴んでいるプロセス",
  web: "index.html がない・監視文字列がない、server-status、ログの所有者",
  general: "高負荷(バッチ・ウイルススキャン)、/tmp 配下の削除、RA のログ",
};
const hintOf = (hint: string) => entryOf(HINTS, hint) ?? "";
const then = (command: string) => (command === "" ? "" : `。その後: ${command}`);

const drbd = ({ resource, role, disk, connection, frozen, behind }: Values) =>
  `DRBD ${resource}: ${role}、ディスク ${disk}、${connection}` +
  `${behind === "0" ? "" : `、未同期 ${behind} KiB`}${frozen === "" ? "" : "、I/O 凍結中"}`;

export const JAPANESE: Texts = {
  "failed-over": ({ node, survivor, resources, why }) => ({
    what: `リソース(${resources})は ${survivor} で稼働中。${node} は引き受けられない: ${why}`,
    doNow: "まず証拠を保存: gemel report。次にこのノードについての行へ",
  }),
  "node-without-power": ({ node, at, evidence, by }) => ({
    what: `${node} の電源が入っていない: ${at} に ${by} が停止 (${evidence})`,
    doNow: `ログを保存 (gemel report)。ケーブルとディスクを確認。その後: gemel fence on ${node}`,
  }),
  "service-not-running": ({ node, how, at = "", evidence = "" }) => ({
    what:
      how === "left"
        ? `${node} の gemel は正常に停止している`
        : how === "rebooting"
          ? `${node} は ${at} にフェンシングで再起動され、まだ戻っていない (${evidence})`
          : `${node} は ${at} にフェンシングで再起動された (${evidence})。gemel は起動していない`,
    doNow:
      how === "rebooting"
        ? "待つ。起動に数分かかることがある"
        : `${node} で: ログを確認 (gemel log)、保存 (gemel report)、その後 systemctl start gemel`,
  }),
  "node-silent": ({ node, phase }) => ({
    what: `${node} から応答がない (${phase})。電源の状態は不明`,
    doNow: `${node} の電源とケーブルを確認し、ログを保存。その後 ${node} で: systemctl start gemel`,
  }),
  "network-lost": ({ attribute, nodes, online = "" }) => ({
    what: `${nodes}: ${attribute} が 0 (Connectivity is lost)。他のノードは正常`,
    doNow: `${nodes} で: ケーブル、NIC、ip link、iptables を確認。${attribute} が 0 より大きくなるまで待つ${then(online)}`,
  }),
  "disk-lost": ({ attribute, nodes, online = "" }) => ({
    what: `${nodes}: ${attribute} が ERROR。他のノードは正常`,
    doNow: `${nodes} で: ケーブル、ディスク、multipathd、iSCSI を確認。${attribute} が normal になるまで待つ${then(online)}`,
  }),
  "resource-failed": ({ resource, node, proof, count, hint = "" }) => ({
    what: `${resource} が ${node} で故障 (${proof}; fail-count ${count})`,
    doNow:
      `crm node standby ${node}; 原因を取り除く (${hintOf(hint)}); ` +
      `crm resource cleanup ${resource} ${node}; crm node online ${node}`,
  }),
  "stop-failed": ({ resource, node, proof }) => ({
    what: `${resource} が ${node} で停止に失敗 (${proof})。まだ動いている恐れがあり、対処するまで何も動かない`,
    doNow:
      `${node} で ${resource} のプロセス等を手動で停止し、何も残っていないことを確認。` +
      `その後: crm resource cleanup ${resource} ${node}`,
  }),
  "failure-blocks": ({ resource, node, proof, hint = "" }) => ({
    what: `${resource} が ${node} で故障 (${proof})。on-fail=block のため、対処するまで何も行われない`,
    doNow: `${node} で原因を取り除く (${hintOf(hint)})。その後: crm resource cleanup ${resource} ${node}`,
  }),
  "resource-degraded": ({ resource, node, reason = "" }) => ({
    what: `${resource} は ${node} で稼働中だが、エージェントが劣化 (degraded) と報告${reason === "" ? "" : `: ${reason}`}`,
    doNow: `故障する前に ${node} で原因を取り除く。その後: crm resource cleanup ${resource} ${node}`,
  }),
  "runs-nowhere": ({ holder, resources = "", nodes, online = "" }) => ({
    what:
      `${holder} がどのノードでも稼働していない${resources === "" ? "" : `: ${resources}`}` +
      `${nodes === "" ? "" : ` (${nodes} は稼働可能)`}`,
    doNow: `ほかの行を確認し: gemel why ${holder}${then(online)}`,
  }),
  "held-by-stopped": ({ holder, stopped }) => ({
    what: `${holder} は稼働できない: 必要な ${stopped} が運用者により停止中 (target-role)`,
    doNow: `作業が終わったら: crm resource start ${stopped}`,
  }),
  "held-by-lock": ({ holder, node, minutes = "" }) => ({
    what: `${holder} がどのノードでも稼働していない: 停止したノード ${node} の復帰を待っている (shutdown-lock、${
      minutes === "" ? "期限なし" : `あと ${minutes} 分`
    })`,
    doNow: `${node} を起動する。他ノードで稼働させるなら: crm resource cleanup ${holder} ${node}`,
  }),
  "promoted-nowhere": ({ holder }) => ({
    what: `${holder} がどのノードでも昇格していない`,
    doNow: `ほかの行を確認し: gemel why ${holder}`,
  }),
  "node-sick": ({ node, why }) => ({
    what: `${node} は異常で、watchdog を更新していない: ${why}`,
    doNow: `自動で停止する。時間があるうちに: crm node standby ${node}`,
  }),
  "tie-breaker-unready": ({ node, why }) => ({
    what: `${node} は分断時に決着をつけるロックを取得できない状態: ${why}`,
    doNow: "ディスクへの経路を直すか、ロックを作成する: gemel fence lock create DISK --yes DISK",
  }),
  "cib-not-written": ({ node, why }) => ({
    what: `${node} のディスクに構成を書き込めない: ${why}。全ノードで変更が待たされる`,
    doNow: "ディスクの空きを作るか修理する。毎秒再試行される",
  }),
  "configuration-conflict": ({ version, lost }) => ({
    what: `分断中に両側で構成が変更された: ${version} では片側の ${lost} 行が有効でない`,
    doNow: "失われた変更を gemel config log で確認し、必要なら再度変更する。構成を変更すればこの表示は消える",
  }),
  "clock-skew": ({ node, seconds, direction }) => ({
    what: `${node} の時計がこのノードより ${seconds} 秒${direction === "ahead" ? "進んでいる" : "遅れている"}`,
    doNow: "両ノードの時刻を合わせる (chronyd・ntpd)。それまで障害の新旧を誤る (failure-timeout)",
  }),
  "alert-not-told": ({ node, target, reason, lost }) => ({
    what: `アラート ${target} が ${node} から通知されない: ${reason}${lost === "0" ? "" : `。${lost} 件が失われた`}`,
    doNow: `${node} でエージェントを直す(存在、実行権、timeout 内に 0 で終了)か、crm configure で設定を直す`,
  }),
  "silence-near-deadtime": ({ silence, deadtime, late }) => ({
    what: `生きているノードが ${silence} ms 沈黙した(deadtime は ${deadtime} ms)`,
    doNow: `全ノードで deadtime を延ばすか、遅延の原因を調べる(この側の送信: 100 回に 1 回は ${late} ms 遅れ)`,
  }),
  "network-lost-everywhere": ({ attribute, nodes, online = "" }) => ({
    what: `全ノード (${nodes}): ${attribute} が 0。監視先(ゲートウェイ等)または経路が落ちている`,
    doNow: `ネットワーク機器を復旧。リソースは自動で復帰する${then(online)}`,
  }),
  "disk-lost-everywhere": ({ attribute, nodes }) => ({
    what: `全ノード (${nodes}): ${attribute} が ERROR。共有ディスクそのものの異常`,
    doNow: "直ちに全ノードで停止: systemctl stop gemel。何も起動しない。データの調査・復旧を行う",
  }),
  "failed-everywhere": ({ resource, proof, first, second, hint = "" }) => ({
    what: `${resource} が複数のノードで故障 (${proof})`,
    doNow:
      `共通の原因を取り除く (${hintOf(hint)}); crm resource cleanup ${resource} ${first}; 稼働を確認; ` +
      `crm resource cleanup ${resource} ${second}; crm node online ${second}`,
  }),
  "left-over-constraint": ({ constraint, resource, from }) => ({
    what: `以前の移動で残った制約 ${constraint} が ${resource} に効いている${from === "" ? "" : ` (${from} では起動しない)`}`,
    doNow: `${resource} の稼働を確認。その後: crm resource unmove ${resource}`,
  }),
  "shutdown-hangs": ({ node, proof, resource }) => ({
    what: `${node} が停止できない: ${proof}`,
    doNow:
      (resource === "" ? "" : `${node} で ${resource} を手動停止し、crm resource cleanup ${resource}。`) +
      "OS の停止前に必ず gemel を停止する。最後の手段: reboot -f",
  }),
  "not-ready": ({ node, resources, proof, cleanup, kind = "" }) => ({
    what: `${node} で ${resources} の準備ができていない。必要なものがなかった (${proof})`,
    doNow:
      kind === "device"
        ? `デバイスのパラメータを修正 (gemel verify -L)。その後: ${cleanup}`
        : `${node} のファイル、ディスク、ネットワークを確認。その後: ${cleanup}`,
  }),
  "start-refused": ({ node, links, phase }) => ({
    what: `${node} は ${links} で聞こえるが、終わった世代 (${phase}) のため参加できない(リストア後など)`,
    doNow: `${node} で: systemctl restart gemel (新しい世代は自動で選ばれる)`,
  }),
  "mutual-fencing": ({ one, two, at }) => ({
    what: `${one} と ${two} が ${at} に互いをフェンシングした`,
    doNow: "片方に遅延を与える: crm configure property priority-fencing-delay=15s。リンクを二重化する",
  }),
  "fencing-fails": ({ node, count, evidence, at }) => ({
    what: `${node} のフェンシングが ${count} 回失敗、最後は ${at} (${evidence})。引き継ぎは行われない`,
    doNow: `BMC とその経路を確認。または ${node} の電源を抜き: gemel fence confirm ${node}`,
  }),
  "active-twice": ({ resource, nodes, last }) => ({
    what: `${resource} が ${nodes} で同時に稼働している`,
    doNow: `直ちに片方を停止: crm node standby ${last}。その後データを比較 (gemel log)`,
  }),
  "address-without-interface": ({ node, resource, address, proof }) => ({
    what: `${resource}: ${node} に ${address} のネットワークのインターフェースがなく、nic も未設定 (${proof})`,
    doNow:
      `crm resource param ${resource} set nic IFACE、または ${node} にそのネットワークを設定。` +
      `その後: crm resource cleanup ${resource} ${node}`,
  }),
  "address-moved": ({ resource, node, before, address, seconds }) => ({
    what: `${resource} (${address}) は ${seconds} 秒前に ${before} から ${node} へ移った。周辺機器が古い MAC を覚えていることがある`,
    doNow: `1 分待つ。セッションが切れたままなら ${node} で: arping -U -c 3 -I IFACE ${address}`,
  }),
  "link-down": ({ link, peer, state }) => ({
    what: `${peer} へのリンク ${link} が ${state}`,
    doNow: "ケーブル、NIC、スイッチを確認。リンクは自動で復旧する",
  }),
  "no-quorum": ({ nodes, count, how }) =>
    how === "not-counted"
      ? {
          what: `クォーラムがまだない: ${count} ノード中 ${nodes} が参加しているが、まだ数えられていない。新たな起動は行わない`,
          doNow: "待つ。1 分続く場合は他のノードで gemel status、および gemel log を確認",
        }
      : {
          what: `クォーラムがない: この側にいるのは ${count} ノード中 ${nodes} のみ。新たな起動は行わず、全てを停止することがある`,
          doNow: "不在ノードとリンクに関する行を確認し、過半数になるまでノードを復帰させる",
        },
  "decisions-held-up": ({ why }) => ({
    what: `何も決定されず、フェイルオーバも行われない: ${why}`,
    doNow:
      "全ノードで gemel status を実行し、上記ノード間のケーブルとスイッチを確認; " +
      "解消しない場合は該当ノードで systemctl restart gemel",
  }),
  "no-dc": () => ({ what: "DC がいないため、何も決定されない", doNow: "30 秒待つ。その後確認: gemel log" }),
  "node-unclean": ({ node, outcome = "", reason, seconds, running = "" }) => ({
    what: `${node} を見失い、停止を確認できないため引き継がない${
      outcome === "" ? "" : `。最後のフェンシング(${seconds} 秒前)は ${outcome}: ${reason}`
    }${running === "" ? "" : running === "person" ? "。作業者の確認を待機中" : "。フェンシング実行中"}`,
    doNow:
      (running === "person" ? "" : "フェンシングの原因を直す(自動で再試行)。または ") +
      `${node} の電源を手動で切り、切れたことを目で確かめてから: gemel fence confirm ${node}`,
  }),
  "node-standby": ({ node }) => ({ what: `${node} は standby`, doNow: `作業が終わったら: crm node online ${node}` }),
  "node-maintenance": ({ node }) => ({
    what: `${node} は maintenance`,
    doNow: `作業が終わったら: crm node ready ${node}`,
  }),
  "fencing-disabled": () => ({
    what: "フェンシングが設定で無効: 全リンク断で両ノードが書き込む恐れがある",
    doNow: "各ノードのフェンシングデバイスを設定し: crm configure property stonith-enabled=true",
  }),
  "no-fencing-device": ({ node }) => ({
    what: `${node} をフェンシングできるデバイスがない: リソースを引き継げない`,
    doNow: `${node} のフェンシングデバイスを設定する`,
  }),
  "fencing-unproven": ({ node, device, at, reason }) => ({
    what:
      `${node} は今 ${device} でフェンシングできない (${at === "" ? "確認されたことがない" : `最後の確認 ${at}`})` +
      `: ${reason === "" ? "その後確認されていない" : reason}`,
    doNow: `原因を直し、${node} で: gemel fence prove ${device}`,
  }),
  "drbd-degraded": (values) => ({
    what: drbd(values),
    doNow: "相手が戻れば自動で復旧する。相手ノードと複製リンクを確認",
  }),
  "drbd-diskless": (values) => ({
    what: drbd(values),
    doNow: `相手のディスクで動作中。自ディスクを交換・修理し、このノードで: drbdadm attach ${values["resource"]}`,
  }),
  "drbd-stale": (values) => ({
    what: drbd(values),
    doNow:
      "相手を起動する(このノードのデータは古い可能性)。相手のデータが完全に失われた場合のみ、このノードで: " +
      `drbdadm primary --force ${values["resource"]}`,
  }),
  "drbd-frozen": (values) => ({ what: drbd(values), doNow: "相手の停止が確認されるか、相手が戻れば再開する" }),
  "drbd-syncing": (values) => ({ what: drbd(values), doNow: "同期中。待つ" }),
  "drbd-split": (values) => ({
    what: drbd(values),
    doNow:
      "スプリットブレインの可能性。データを比較し、捨てる側で: " +
      `drbdadm secondary ${values["resource"]}; drbdadm connect --discard-my-data ${values["resource"]}。` +
      `もう一方で: drbdadm connect ${values["resource"]}`,
  }),
  "drbd-differs": ({ resource, behind }) => ({
    what: `DRBD ${resource}: 両ディスクとも UpToDate だが ${behind} KiB が異なる。切り替わると別のデータになる`,
    doNow: `Secondary のノードで: drbdadm disconnect ${resource}; drbdadm connect ${resource} (Primary から複写される)`,
  }),
  "drbd-bitmap-left": ({ resource }) => ({
    what: `DRBD ${resource}: 両ディスクとも UpToDate だがビットマップ UUID が残っている。次の切断後、再同期されず古いデータが使われる恐れがある`,
    doNow: `Secondary のノードで: drbdadm invalidate ${resource} (Primary から全体が複写される)`,
  }),
  blocked: ({ key, node, why, resource }) => ({
    what: `${key}${node === "" ? "" : ` (${node})`} は実行できない: ${why}`,
    doNow: `原因を取り除き: crm resource cleanup ${resource}${node === "" ? "" : ` ${node}`}`,
  }),
};
