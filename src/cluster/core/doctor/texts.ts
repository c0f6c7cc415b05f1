/** What the doctor's findings say, in the language of whoever reads: what it is, and what to do. */
import type { Language } from "../../../base/language.ts";
import type { AdviceText, Values } from "../advice/texts.ts";
import type { FindingCode } from "./examination.ts";

type Texts = Readonly<Record<FindingCode, (values: Values) => AdviceText>>;

/** A first step that is not always wanted. */
const first = (step: string | undefined, joint: string) => (step === undefined || step === "" ? "" : step + joint);

const ENGLISH: Texts = {
  "fencing-disabled": () => ({
    what: "fencing is disabled: a lost node is taken for dead without proof, and two nodes may come to write",
    doNow:
      "configure a device for each node, prove it (gemel fence prove), then: " +
      "crm configure property stonith-enabled=true",
  }),
  "node-without-device": ({ node }) => ({
    what: `no fencing device can switch ${node} off: nothing is ever taken over from it`,
    doNow: `add a primitive stonith:... that names ${node} (gemel fence plan ${node})`,
  }),
  "device-untested": ({ node, device }) => ({
    what: `${device} was never looked at from ${node}`,
    doNow: `on ${node}: gemel fence prove ${device}`,
  }),
  "device-failing": ({ node, device, reason, since }) => ({
    what: `${device} does not answer ${node} (${reason})${since === "" ? "" : `; last proven ${since}`}`,
    doNow: `mend the board, its cable or its password; then on ${node}: gemel fence prove ${device}`,
  }),
  "proof-lapsed": ({ node, device, since }) => ({
    what: `the proof of ${device} on ${node} has lapsed${since === "" ? "" : `: it is of ${since}`}`,
    doNow: `on ${node}: gemel fence prove ${device}`,
  }),
  "never-switched": ({ node, device }) => ({
    what: `${device} answers ${node}, and has never really switched anything off`,
    doNow: "in a quiet hour: gemel fence drill, with the target in standby",
  }),
  "constraint-left-over": ({ id, resource }) => ({
    what: `${id} is left over from an earlier move of ${resource}, nobody holds it, and it still decides`,
    doNow: `crm resource unmove ${resource}`,
  }),
  "override-for-ever": ({ kind, subject, owner, reason }) => ({
    what: `${kind} of ${subject} by ${owner} has no end${reason === "" ? "" : ` (${reason})`}`,
    doNow: "undo it, or set it again with an end",
  }),
  "clock-skew": ({ node, seconds, direction }) => ({
    what: `the clock of ${node} is ${seconds} s ${direction === "ahead" ? "ahead of" : "behind"} this node's`,
    doNow: "look at chronyd or ntpd on both; logs cannot be compared and dated rules differ until then",
  }),
  "clock-unknown": ({ node }) => ({
    what: `${node} has not said its time`,
    doNow: `look at ${node}: gemel status`,
  }),
  "deadtime-short": ({ silence, deadtime }) => ({
    what: `a living node was silent for ${silence} s; deadtime is ${deadtime} s: little is left before a false death`,
    doNow: "find what held it up (load, network), or make deadtime longer",
  }),
  "serial-line-slow": ({ link, baud, apart, deadtime }) => ({
    what: `over ${link} (${baud} baud) alone heartbeats may come ${apart} s apart; deadtime is ${deadtime} s`,
    doNow: "raise the baud, or make deadtime longer: a living node may be taken for dead when only this link is left",
  }),
  "watchdog-late": ({ watchdog, deadtime }) => ({
    what: `the watchdog resets a hung node after ${watchdog} s, and it is taken over after ${deadtime} s`,
    doNow: "make the watchdog's timeout shorter than deadtime, or configure fencing",
  }),
  "watchdog-none": ({ profile, module, remedy }) => ({
    what: `no watchdog is armed: nothing resets this node when it hangs; its hardware (${profile}) has ${module}`,
    doNow: `${first(remedy, ", now and at boot; ")}name its device as watchdog in the node configuration`,
  }),
  "watchdog-other": ({ profile, module, remedy, armed }) => ({
    what: `the armed watchdog is ${armed}; this hardware (${profile}) has its own, ${module}`,
    doNow: `${first(remedy, ", now and at boot; ")}name its device as watchdog in the node configuration`,
  }),
  "timeout-short": ({ resource, operation, configured, advised }) => ({
    what: `${operation} of ${resource} may take ${configured} s; its agent asks for ${advised} s`,
    doNow: `crm configure edit ${resource}: op ${operation} timeout=${advised}s`,
  }),
  "stops-longer-than-shutdown": ({ resource, stop, shutdown }) => ({
    what: `the stop of ${resource} may take ${stop} s, and a node leaves without waiting after ${shutdown} s`,
    doNow: "make shutdown-escalation longer than the longest chain of stops",
  }),
  "forgets-between-looks": ({ resource, forget, interval }) => ({
    what: `failures of ${resource} are forgotten after ${forget} s, before its monitor looks again (${interval} s)`,
    doNow: "make failure-timeout several times the monitor's interval",
  }),
  "service-missing": ({ resource, kind, name }) => ({
    what: `${resource} is ${kind}:${name}, which is not installed here: it can never run on this node`,
    doNow: "install it, or keep the resource away by a location constraint",
  }),
  "service-enabled-at-boot": ({ resource, name }) => ({
    what: `the system starts ${name} at boot, beside the cluster that runs it as ${resource}: both nodes may run it`,
    doNow: `systemctl disable ${name} (or: update-rc.d ${name} disable)`,
  }),
  "status-code-unknown": ({ resource, name, code }) => ({
    what: `status of ${name} (${resource}) answers ${code}: neither running (0) nor stopped (1 to 3)`,
    doNow: `gemel lsb-check ${name} tries all its rules; better: an OCF agent`,
  }),
  "status-contradicts": ({ resource, name, code, runs }) => ({
    what:
      `the cluster ${runs === "yes" ? "runs" : "does not run"} ${resource} here, ` +
      `and status of ${name} answers ${code}`,
    doNow: `crm resource refresh ${resource}; then gemel lsb-check ${name} in a quiet hour`,
  }),
};

const JAPANESE: Texts = {
  "fencing-disabled": () => ({
    what: "フェンシングが無効: 応答のないノードは確認なしに停止とみなされ、二重書き込みの恐れがある",
    doNow: "各ノードにデバイスを設定し (gemel fence prove)、crm configure property stonith-enabled=true",
  }),
  "node-without-device": ({ node }) => ({
    what: `${node} の電源を切れるフェンシングデバイスがない: 引き継ぎは行われない`,
    doNow: `${node} を対象とする primitive stonith:... を追加 (gemel fence plan ${node})`,
  }),
  "device-untested": ({ node, device }) => ({
    what: `${device} は ${node} から一度も確認されていない`,
    doNow: `${node} で: gemel fence prove ${device}`,
  }),
  "device-failing": ({ node, device, reason, since }) => ({
    what: `${device} が ${node} に応答しない (${reason})${since === "" ? "" : `。最後の確認: ${since}`}`,
    doNow: `BMC・ケーブル・パスワードを直し、${node} で: gemel fence prove ${device}`,
  }),
  "proof-lapsed": ({ node, device, since }) => ({
    what: `${node} の ${device} の確認は期限切れ${since === "" ? "" : ` (${since})`}`,
    doNow: `${node} で: gemel fence prove ${device}`,
  }),
  "never-switched": ({ node, device }) => ({
    what: `${device} は ${node} に応答するが、実際に電源を切ったことがない`,
    doNow: "業務の少ない時間に、対象を standby にして: gemel fence drill",
  }),
  "constraint-left-over": ({ id, resource }) => ({
    what: `${id} は以前の ${resource} の move の残り。管理者がなく、今も配置を決めている`,
    doNow: `crm resource unmove ${resource}`,
  }),
  "override-for-ever": ({ kind, subject, owner, reason }) => ({
    what: `${owner} による ${subject} の ${kind} に期限がない${reason === "" ? "" : ` (${reason})`}`,
    doNow: "取り消すか、期限を付けて設定し直す",
  }),
  "clock-skew": ({ node, seconds, direction }) => ({
    what: `${node} の時計がこのノードより ${seconds} 秒${direction === "ahead" ? "進んでいる" : "遅れている"}`,
    doNow: "両ノードの chronyd・ntpd を確認。それまでログの比較も日付ルールも当てにならない",
  }),
  "clock-unknown": ({ node }) => ({ what: `${node} が時刻を答えない`, doNow: `${node} を確認: gemel status` }),
  "deadtime-short": ({ silence, deadtime }) => ({
    what: `稼働中のノードが ${silence} 秒沈黙した。deadtime は ${deadtime} 秒: 誤検知まで余裕がない`,
    doNow: "遅れの原因 (負荷・ネットワーク) を調べるか、deadtime を長くする",
  }),
  "serial-line-slow": ({ link, baud, apart, deadtime }) => ({
    what: `${link} (${baud} baud) だけになるとハートビートの間隔が ${apart} 秒になり得る。deadtime は ${deadtime} 秒`,
    doNow: "baud を上げるか deadtime を長くする: このリンクだけが残ると稼働中のノードを故障と誤検知し得る",
  }),
  "watchdog-late": ({ watchdog, deadtime }) => ({
    what: `ウォッチドッグのリセットは ${watchdog} 秒後、引き継ぎは ${deadtime} 秒後`,
    doNow: "ウォッチドッグを deadtime より短くするか、フェンシングを設定する",
  }),
  "watchdog-none": ({ profile, module, remedy }) => ({
    what: `ウォッチドッグが無効: ハングしてもリセットされない。このハードウェア (${profile}) には ${module} がある`,
    doNow: `${first(remedy, " (起動時にも)。")}ノード設定の watchdog にそのデバイスを書く`,
  }),
  "watchdog-other": ({ profile, module, remedy, armed }) => ({
    what: `使用中のウォッチドッグは ${armed}。このハードウェア (${profile}) のものは ${module}`,
    doNow: `${first(remedy, " (起動時にも)。")}ノード設定の watchdog にそのデバイスを書く`,
  }),
  "timeout-short": ({ resource, operation, configured, advised }) => ({
    what: `${resource} の ${operation} は ${configured} 秒まで。RA の推奨は ${advised} 秒`,
    doNow: `crm configure edit ${resource}: op ${operation} timeout=${advised}s`,
  }),
  "stops-longer-than-shutdown": ({ resource, stop, shutdown }) => ({
    what: `${resource} の stop は ${stop} 秒まで許されるが、ノードは ${shutdown} 秒で待たずに離脱する`,
    doNow: "shutdown-escalation を stop の合計より長くする",
  }),
  "forgets-between-looks": ({ resource, forget, interval }) => ({
    what: `${resource} の故障は ${forget} 秒で忘れられ、次の監視 (${interval} 秒間隔) に間に合わない`,
    doNow: "failure-timeout を監視間隔の数倍にする",
  }),
  "service-missing": ({ resource, kind, name }) => ({
    what: `${resource} は ${kind}:${name} だが、このノードに入っていない: ここでは決して起動できない`,
    doNow: "インストールするか、location 制約で外す",
  }),
  "service-enabled-at-boot": ({ resource, name }) => ({
    what: `${name} は起動時にシステムからも開始される。クラスタの ${resource} と二重に動く恐れがある`,
    doNow: `systemctl disable ${name} (または update-rc.d ${name} disable)`,
  }),
  "status-code-unknown": ({ resource, name, code }) => ({
    what: `${name} (${resource}) の status が ${code} を返す: 稼働 (0) でも停止 (1〜3) でもない`,
    doNow: `gemel lsb-check ${name} で全規則を確認。OCF の RA がよい`,
  }),
  "status-contradicts": ({ resource, name, code, runs }) => ({
    what: `クラスタ上 ${resource} はここで${runs === "yes" ? "稼働中" : "停止中"}だが、${name} の status は ${code}`,
    doNow: `crm resource refresh ${resource}。その後、業務の少ない時間に gemel lsb-check ${name}`,
  }),
};

export function findingText(language: Language, code: FindingCode, values: Values): AdviceText {
  return (language === "ja" ? JAPANESE : ENGLISH)[code](values);
}
