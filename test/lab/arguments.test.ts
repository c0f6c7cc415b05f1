/** The lab's command line: what is understood, and what is said about the rest. */
import { expect, test } from "vitest";
import { helpText, isCommandName, readArguments } from "../../lab/arguments.ts";

for (const [line, call] of [
  ["", { lab: "lab", command: "up" }],
  ["demo", { lab: "lab", command: "demo" }],
  ["soak 20", { lab: "lab", command: "soak", count: 20 }],
  ["soak split", { lab: "lab", command: "soak", strike: "split" }],
  ["soak 3 freeze", { lab: "lab", command: "soak", count: 3, strike: "freeze" }],
  ["troubles 12,15", { lab: "lab", command: "troubles", rows: [12, 15] }],
  ["join", { lab: "lab", command: "join" }],
  ["noise 0", { lab: "lab", command: "noise", count: 0 }],
  ["power-cut", { lab: "lab", command: "power-cut" }],
  ["power-cut bravo --lab two", { lab: "two", command: "power-cut", node: "bravo" }],
  ["--lab two cut private alpha", { lab: "two", command: "cut", link: "private", node: "alpha" }],
  ["cut bmc-alpha", { lab: "lab", command: "cut", link: "bmc-alpha" }],
  ["run alpha cat /proc/drbd", { lab: "lab", command: "run", node: "alpha", words: "cat /proc/drbd" }],
  ["--help", { lab: "lab", command: "help" }],
] as const) {
  test(`lab ${line}: understood`, () => {
    expect(readArguments(line.split(" ").filter((word) => word !== ""))).toEqual({ kind: "call", call });
  });
}

for (const [line, reason] of [
  ["powercut", "there is no such command"],
  ["constructor", "there is no such command"],
  ["cut", "the link is missing"],
  ["cut private charlie", "there is no node charlie; the nodes are alpha and bravo"],
  ["cut eth0", "there is no link eth0; the links are service, private, serial, bmc-alpha, bmc-bravo"],
  ["cut serial alpha", "serial has no end of its own for alpha"],
  ["soak 0", "0 is no number from 1 to 1000000"],
  ["soak twenty", "twenty is no number from 1 to 1000000"],
  ["soak 2 explode", "explode is none of power-cut, freeze, panic, split"],
  ["troubles 12,21", "12,21 is no list of numbers from 1 to 20"],
  ["join alpha", "the link is missing"],
  ["noise", "the percent is missing"],
  ["noise 101", "101 is no number from 0 to 100"],
  ["down now", "now is one word too many"],
  ["run alpha", "the shell command is missing"],
  ["status --lab", "the name is missing"],
] as const) {
  test(`lab ${line}: refused with the reason`, () => {
    const read = readArguments(line.split(" "));
    expect(read.kind === "problem" ? read.problem.reason : read).toBe(reason);
  });
}

test("the help page names every command with its usage", () => {
  const page = helpText();
  for (const word of ["power-cut [NODE]", "cut LINK [NODE]", "soak [COUNT] [STRIKE]", "console NODE"]) {
    expect(page).toContain(word);
  }
  expect(isCommandName("toString")).toBe(false);
});
