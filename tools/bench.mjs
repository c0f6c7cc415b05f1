/** `npm run bench [-- NAME ARGUMENTS]`: readies the machine and runs bench/NAME.ts; without a name it lists them. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { goOnAs, setUp } from "./setup.mjs";

const WRONG_CALL = 64;
const folder = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../bench");
const [name = "", ...rest] = process.argv.slice(2);

/** The comment that a bench opens with says what it measures, its bar and its arguments. */
function headerOf(file) {
  const header = /^\/\*\*([\s\S]*?)\*\//.exec(readFileSync(path.join(folder, file), "utf8"));
  return (header?.[1] ?? "").replaceAll(/\n \* ?/g, "\n").trim();
}

if (/^[a-z-]+$/.test(name) && existsSync(path.join(folder, `${name}.ts`))) {
  goOnAs(setUp("quick"), `bench/${name}.ts`, rest);
} else {
  const files = readdirSync(folder).filter((file) => file.endsWith(".ts"));
  const list = files.map((file) => `== ${path.basename(file, ".ts")}\n${headerOf(file)}\n`).join("\n");
  if (name === "" || name === "help") process.stdout.write(`usage: npm run bench -- NAME [ARGUMENTS]\n\n${list}`);
  else {
    process.stderr.write(`bench: there is no bench ${name}; see: npm run bench\n`);
    process.exitCode = WRONG_CALL;
  }
}
