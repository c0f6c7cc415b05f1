/** The CIB on disk: what a torn, truncated or half-renamed file leaves of it. */
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, open, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { xml } from "../../../src/base/xml.ts";
import { blankCib } from "../../../src/cluster/core/cib-store/state.ts";
import type { HistoryEntry, StoredCib } from "../../../src/cluster/core/cib-store/types.ts";
import { openCibFiles, readInitialCib } from "../../../src/cluster/edge/cib-files.ts";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "gemel-cib-"));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

const at = (name: string) => path.join(directory, name);

/** A content of its own for each number. */
function content(number: number): StoredCib {
  const node = xml("node", { id: `n${number}`, uname: `n${number}` });
  return {
    ...blankCib(),
    version: { adminEpoch: 0, epoch: number },
    head: `head-${number}`,
    lineage: ["blank", `head-${number}`],
    configuration: xml("configuration", {}, [xml("nodes", {}, [node])]),
  };
}

test("an empty directory holds nothing, and that is no problem", async () => {
  expect(await openCibFiles(at("new"))).toMatchObject({ stored: undefined, problems: [] });
});

test("what was written is read back", async () => {
  const files = await openCibFiles(directory);
  for (const number of [1, 2, 3]) await files.write(content(number));
  const again = await openCibFiles(directory);
  expect(again).toMatchObject({ stored: content(3), problems: [] });
  expect(await readFile(at("cib.xml"), "utf8")).toContain('epoch="3"');
  // An older program of the field must find nothing of a status in it.
  expect(await readFile(at("cib.xml"), "utf8")).toContain("<status/>");
});

describe("damage", () => {
  const damages: [name: string, damage: () => Promise<void>][] = [
    ["cib.xml is cut short", () => truncate(at("cib.xml"), 40)],
    ["cib.xml is empty", () => truncate(at("cib.xml"), 0)],
    ["cib.xml is gone", () => rm(at("cib.xml"))],
    ["cib.xml was changed by hand", () => writeFile(at("cib.xml"), "<cib/>")],
    ["cib.json is not JSON", () => writeFile(at("cib.json"), "{")],
    [
      "both are empty",
      () => Promise.all(["cib.xml", "cib.json"].map((name) => truncate(at(name), 0))).then(() => undefined),
    ],
  ];
  test.each(damages)("%s: the previous one is used, and it is said", async (_, damage) => {
    const files = await openCibFiles(directory);
    for (const number of [1, 2]) await files.write(content(number));
    await damage();
    const again = await openCibFiles(directory);
    expect(again.stored).toEqual(content(1));
    expect(again.problems).toMatchObject([{ severity: "error", place: at("cib.xml") }]);
    // Writing goes on from there, and a further damage still finds a good pair.
    await again.write(content(5));
    expect((await openCibFiles(directory)).stored).toEqual(content(5));
    await truncate(at("cib.xml"), 10);
    expect((await openCibFiles(directory)).stored).toEqual(content(1));
  });

  test("a power cut between the two renames leaves the older pair whole", async () => {
    const files = await openCibFiles(directory);
    for (const number of [1, 2]) await files.write(content(number));
    const old = await readFile(at("cib.xml"), "utf8");
    await files.write(content(3));
    // As it was: the new sidecar is there, the XML is still the old one.
    await writeFile(at("cib.xml"), old);
    const again = await openCibFiles(directory);
    expect(again).toMatchObject({ stored: content(2), problems: [] });
    await again.write(content(4));
    expect((await openCibFiles(directory)).stored).toEqual(content(4));
  });

  test("nothing is left: told as an error, and the node begins blank", async () => {
    const files = await openCibFiles(directory);
    await files.write(content(1));
    for (const name of (await readdir(directory)).filter((each) => each !== "history")) await truncate(at(name), 3);
    const again = await openCibFiles(directory);
    expect(again.stored).toBeUndefined();
    expect(again.problems[0]?.reason).toContain("begins with no configuration");
  });
});

test("of a content that is on disk already only what is known of it is written anew", async () => {
  const files = await openCibFiles(directory);
  await files.write(content(1));
  await files.write(content(2));
  const names = ["cib.xml", "cib.previous.xml", "cib.previous.json"];
  const inodes = () => Promise.all(names.map(async (name) => (await stat(at(name))).ino));
  const before = await inodes();
  const { head, version } = content(2);
  const marked = { ...content(2), confirmedHead: head, quorateHead: head, quorateVersion: version };
  await files.write(marked);
  expect(await inodes()).toEqual(before);
  const again = await openCibFiles(directory);
  expect(again).toMatchObject({ stored: marked, problems: [] });
  // Also by the next start, which has not written the content itself.
  await again.write({ ...marked, confirmedHead: "other" });
  expect(await inodes()).toEqual(before);
  await again.write(content(3));
  expect(await openCibFiles(directory)).toMatchObject({ stored: content(3), problems: [] });
});

test("a disk that refuses is told and tried again; the newest content covers those before it", async () => {
  const told: string[] = [];
  const states: (string | number | undefined)[][] = [];
  const files = await openCibFiles(directory, ({ reason }) => {
    told.push(reason);
    states.push([files.silentMs(), files.refusal()]);
  });
  await files.write(content(1));
  await rm(directory, { recursive: true });
  const writes = [2, 3, 4].map((number) => files.write(content(number)));
  await expect.poll(() => told.length).toBeGreaterThan(0);
  // It has answered, so it does not hang; status has the reason for as long as it lasts.
  expect(states[0]).toEqual([0, expect.stringContaining("ENOENT")]);
  await mkdir(directory);
  await Promise.all(writes);
  expect([files.silentMs(), files.refusal()]).toEqual([0, undefined]);
  expect(told[0]).toContain("the configuration cannot be written: ENOENT");
  expect((await openCibFiles(directory)).stored).toEqual(content(4));
});

test("a disk that hangs is silent, for as long as it answers nothing", async () => {
  const files = await openCibFiles(directory);
  // Opening a pipe that nobody reads hangs as a dead disk does.
  execFileSync("mkfifo", [at("cib.xml.new")]);
  const written = files.write(content(1));
  await expect.poll(() => files.silentMs()).toBeGreaterThan(200);
  // The reader lets it go on; a pipe cannot be synced, so it is refused and tried again.
  const reader = open(at("cib.xml.new"), "r");
  await expect.poll(() => files.refusal()).toContain("EINVAL");
  await (await reader).close();
  await rm(at("cib.xml.new"));
  await written;
  expect([files.silentMs(), files.refusal()]).toEqual([0, undefined]);
});

test("the loser of a conflict is kept in a file of its own, with what it had", async () => {
  const files = await openCibFiles(directory);
  const name = await files.keepConflict({
    winner: { adminEpoch: 0, epoch: 7 },
    loser: { adminEpoch: 0, epoch: 6 },
    loserNode: "bravo",
    diff: ["+ primitive --x"],
    lost: content(6).configuration,
  });
  expect(path.basename(name)).toMatch(/^cib-conflict-bravo-0\.6-[0-9a-f]{8}\.xml$/);
  expect(await readFile(name, "utf8")).toContain('uname="n6"');
});

describe("the initial configuration", () => {
  test("the same file gives the same head on every node", async () => {
    await writeFile(at("pair.crm"), "node alpha\nnode bravo\nproperty stonith-enabled=false\n");
    const [one, two] = await Promise.all([readInitialCib(at("pair.crm"), 1), readInitialCib(at("pair.crm"), 2)]);
    if (one.kind !== "valid" || two.kind !== "valid") throw new Error("refused");
    expect(one.value.head).toBe(two.value.head);
    expect(one.value.lineage).toEqual(["blank", one.value.head]);
  });

  test("a wrong file gives all its errors, with their lines", async () => {
    await writeFile(at("pair.crm"), "nod alpha\nprimitive x\nproperty stonith-enabled=may\n");
    const read = await readInitialCib(at("pair.crm"), 1);
    expect(read.kind === "invalid" && read.problems.map(({ place }) => place)).toEqual([
      `${at("pair.crm")}:1:1`,
      `${at("pair.crm")}:2:12`,
      `${at("pair.crm")}:3:10`,
    ]);
  });

  test("a missing file is one clear problem", async () => {
    expect(await readInitialCib(at("none.crm"), 1)).toMatchObject({
      kind: "invalid",
      problems: [{ place: at("none.crm"), reason: "there is no such file" }],
    });
  });
});

test("earlier versions are kept, the last hundred of them, and read by their number", async () => {
  const files = await openCibFiles(directory);
  for (let number = 1; number <= 103; number += 1) await files.write(content(number));
  expect(await readdir(at("history"))).toHaveLength(100);
  expect(await files.readVersion("0.2")).toBeUndefined();
  expect(await files.readVersion("0.3")).toEqual(content(3).configuration);
  expect(await files.readVersion("0.102")).toEqual(content(102).configuration);
  expect(await files.readVersion("../cib")).toBeUndefined();
  // Written again with nothing but another head on record, it is the same version still.
  await files.write({ ...content(103), confirmedHead: content(103).head });
  expect(await files.readVersion("0.102")).toEqual(content(102).configuration);
});

test.each([
  ["one after the other", false],
  ["while the disk is slow", true],
])("versions that a conflict has set aside are no versions any more (%s)", async (_, isSlow) => {
  const files = await openCibFiles(directory);
  const entry = (requestId: string, epoch: number): HistoryEntry => ({
    requestId,
    version: { adminEpoch: 0, epoch },
    origin: { who: "root", from: "a: test", wallMs: 0 },
    diff: [],
  });
  const both = [entry("first", 1), entry("second", 2)];
  const mine = { ...content(3), history: [...both, entry("mine-3", 3)] };
  const later = { ...content(4), history: [...mine.history, entry("mine-4", 4)] };
  const joined = { ...content(6), history: [...both, entry("theirs-3", 3), entry("conflict-x", 6)] };
  await files.write({ ...content(1), history: both.slice(0, 1) });
  await files.write({ ...content(2), history: both });
  await files.write(mine);
  if (isSlow) await Promise.all([later, joined].map(files.write));
  else for (const stored of [later, joined]) await files.write(stored);
  expect(await files.readVersion("0.3")).toBeUndefined();
  expect(await files.readVersion("0.4")).toBeUndefined();
  for (const number of [1, 2]) expect(await files.readVersion(`0.${number}`)).toEqual(content(number).configuration);
});

test("versions that a slow disk was given together are kept, each of them", async () => {
  const files = await openCibFiles(directory);
  await Promise.all([1, 2, 3, 4].map((number) => files.write(content(number))));
  await files.write(content(5));
  for (const number of [1, 2, 3, 4])
    expect(await files.readVersion(`0.${number}`), `0.${number}`).toEqual(content(number).configuration);
});
