/**
 * The client of the service, a program of its own: it runs in the client's network namespace and knows nothing but the
 * virtual address. `write LEDGER [COUNT]` sends numbered records one after another, each until it is acknowledged, and
 * writes every acknowledgement into its ledger; a line of standard output tells each. `read` prints what is stored.
 */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import http from "node:http";
import process from "node:process";
import { SERVICE_PORT, VIRTUAL_ADDRESS } from "../addresses.ts";
import { formatAcknowledged, readAcknowledged, recordText } from "./ledger.ts";

/** Short, so that the end of an outage is seen soon; a loaded emulated pair answers within 300 ms. */
const ANSWER_MAX_MS = 1_500;
const READ_MAX_MS = 20_000;
const PAUSE_MS = 100;

/** Resolves with the body of an answer 200; rejects with the reason for everything else. */
function ask(method: "GET" | "POST", body: string, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const where = { host: VIRTUAL_ADDRESS, port: SERVICE_PORT, path: "/records", method, agent: false as const };
    const headers = { "content-length": Buffer.byteLength(body), connection: "close" };
    const request = http.request({ ...where, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (more: string) => {
        text += more;
      });
      response.on("end", () => {
        clearTimeout(timer);
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`answer ${response.statusCode}: ${text.trim()}`));
      });
      response.on("error", reject);
    });
    const timer = setTimeout(() => request.destroy(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
    request.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    request.end(body);
  });
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const say = (event: object) => process.stdout.write(`${JSON.stringify(event)}\n`);

async function write(ledger: string, count: number): Promise<void> {
  const known = existsSync(ledger) ? readAcknowledged(readFileSync(ledger, "utf8")) : [];
  const first = (known.at(-1)?.number ?? 0) + 1;
  for (let number = first; number < first + count; number++) {
    for (let acknowledged = false; !acknowledged; ) {
      try {
        acknowledged = (await ask("POST", recordText(number), ANSWER_MAX_MS)) === `${number}\n`;
        if (!acknowledged) say({ kind: "failed", number, reason: "the answer names another record" });
      } catch (error) {
        say({ kind: "failed", number, reason: error instanceof Error ? error.message : String(error) });
      }
      if (!acknowledged) await sleep(PAUSE_MS);
    }
    const atWallMs = Date.now();
    appendFileSync(ledger, formatAcknowledged({ number, atWallMs }));
    say({ kind: "acknowledged", number, atWallMs });
    await sleep(PAUSE_MS);
  }
}

const [mode, ledger = "", count = "Infinity"] = process.argv.slice(2);
try {
  if (mode === "write") await write(ledger, Number(count));
  else process.stdout.write(await ask("GET", "", READ_MAX_MS));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
