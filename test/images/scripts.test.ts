/** The image's own scripts and lists: they parse, and what the boot relies on is there. */
import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { VIRTUAL_ADDRESS } from "../../lab/addresses.ts";
import { statusScript } from "../../lab/watch/node-status.ts";
import { readSeen, SAMPLE_SCRIPT } from "../../lab/watch/sample.ts";

const base = path.resolve(import.meta.dirname, "../../images/base");
const programs = path.join(base, "overlay/usr/lib/appliance");
const scripts = [path.join(base, "initramfs/init"), ...readdirSync(programs).map((name) => path.join(programs, name))];

test.each(scripts.map((file) => [path.relative(base, file), file]))("%s is executable and parses", (_, file) => {
  expect(statSync(file).mode & 0o111).toBe(0o111);
  const perl = readFileSync(file, "utf8").startsWith("#!/usr/bin/perl");
  const { status, stderr } = spawnSync(perl ? "perl" : "sh", [perl ? "-c" : "-n", file]);
  expect([status, perl ? "" : stderr.toString()]).toEqual([0, ""]);
});

test("init starts only programs that the overlay brings", () => {
  const started = readFileSync(path.join(base, "overlay/etc/inittab"), "utf8").match(/\/usr\/lib\/appliance\/[a-z-]+/g);
  expect(started?.map((file) => path.basename(file)).toSorted()).toEqual(
    ["lab-agent", "power-button", "service", "start", "stop"].toSorted(),
  );
  for (const file of started ?? []) expect(readdirSync(programs)).toContain(path.basename(file));
});

test("the lab agent's base64 is that of everyone else", () => {
  const source = readFileSync(path.join(programs, "lab-agent"), "utf8");
  const functions = source.slice(source.indexOf("sub to_base64"), source.indexOf("sub slurp"));
  const driver =
    'binmode STDIN; local $/; my $b = <STDIN>; print to_base64($b), "\\n", from_base64(to_base64($b)) eq $b;';
  for (const length of [0, 1, 2, 3, 44, 45, 46, 1000]) {
    const bytes = Buffer.from(Array.from({ length }, (_, index) => (index * 37 + 200) % 256));
    const answer = execFileSync("perl", ["-e", functions + driver], { input: bytes }).toString();
    expect(answer).toBe(`${bytes.toString("base64")}\n1`);
  }
});

test("the lab agent runs a script of perl by itself, with no module that the image may lack", () => {
  const source = readFileSync(path.join(programs, "lab-agent"), "utf8");
  const functions = source.slice(source.indexOf("sub run_here"), source.indexOf("sub run_script"));
  const driver = "@INC = (); local $/; print join('|', run_here(<STDIN>));";
  const options = ["-Mstrict", "-Mwarnings=FATAL,all", "-MSocket", "-e", functions + driver];
  const run = (input: string) => execFileSync("perl", options, { input }).toString();
  expect(run("#!perl\nmy $six = 6;\n$six * 7;")).toBe("0|42");
  expect(run("#!perl\nundef;")).toBe("0|");
  expect(run('#!perl\ndie "no more\\n";')).toBe("1|no more\n");
  expect(run("#!perl\nmy $six = (;")).toMatch(/^1\|syntax error/);
  expect(readSeen(run(SAMPLE_SCRIPT)).hasVirtualAddress).toBe(false);
  // That is a local address on every machine.
  expect(run(SAMPLE_SCRIPT.replaceAll(VIRTUAL_ADDRESS, "127.0.0.1"))).toMatch(
    /^local 127\.0\.0\.1$|^0\|local 127\.0\.0\.1$/m,
  );
  expect(run(statusScript("/nowhere/control.sock"))).toBe("1|No such file or directory\n");
});
