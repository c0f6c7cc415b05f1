/** An alert that does not arrive stands in status. */
import { expect, test } from "vitest";
import { advise } from "../../../src/cluster/core/advice/advise.ts";
import { textOf } from "../../../src/cluster/core/advice/texts.ts";
import { runsOn, situationOf } from "../advice/scene.ts";

test("an alert that nobody would hear of is a warning, and names what was lost", () => {
  const missing = { node: "srv02", target: "mail", reason: "/x: there is no such file", lost: 0 };
  const failing = { node: "srv01", target: "trap", reason: "/y ended with exit code 1", lost: 3 };
  const found = advise(situationOf({ done: runsOn("srv01"), live: { alerts: [missing, failing] } }));
  expect(found.map(({ code, severity, values }) => [code, severity, textOf("en", code, values).what])).toEqual([
    ["alert-not-told", "warning", "alert mail is not told by srv02: /x: there is no such file"],
    ["alert-not-told", "warning", "alert trap is not told by srv01: /y ended with exit code 1; 3 lost"],
  ]);
});
