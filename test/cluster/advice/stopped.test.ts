/** What stands still because an operator has stopped what it needs. */
import { describe, expect, test } from "vitest";
import { advise } from "../../../src/cluster/core/advice/advise.ts";
import { textOf } from "../../../src/cluster/core/advice/texts.ts";
import { type Scene, situationOf } from "./scene.ts";

const codes = (scene: Scene) => advise(situationOf(scene)).map(({ code }) => code);
const told = (scene: Scene) =>
  advise(situationOf(scene)).map(({ code, values }) => {
    const { what, doNow } = textOf("en", code, values);
    return `${code}: ${what} -> ${doNow}`;
  });

describe("what an operator has stopped", () => {
  const colocation = '<rsc_colocation id="c" rsc="grpDB" with-rsc="clnPing" score="INFINITY"/>';

  test("what needs it is no fault: the command that starts it again is named", () => {
    const lines = told({ stopped: "clnPing", constraints: colocation });
    expect(lines).toEqual([
      "held-by-stopped: grpDB cannot run: clnPing, which it needs, is stopped by an operator (target-role) -> " +
        "when the work is done: crm resource start clnPing",
    ]);
  });

  test("by an order it is needed too, by a preference it is not", () => {
    const order = '<rsc_order id="o" first="clnPing" then="grpDB" kind="Mandatory"/>';
    expect(codes({ stopped: "clnPing", constraints: order })).toEqual(["held-by-stopped"]);
    const preference = colocation.replace("INFINITY", "100");
    expect(codes({ stopped: "clnPing", constraints: preference })).toEqual(["runs-nowhere"]);
  });
});
