/**
 * Defaults that crm of 1.0 took as cluster options: `property default-action-timeout=240`. Who types them as they stand
 * in an old how-to means the defaults of today, and gets them, with a word; as options they would have no effect.
 */
import type { Problem } from "../../base/problem.ts";
import { type XmlElement, xml } from "../../base/xml.ts";
import { MOVED } from "../upgrade/to-three.ts";
import type { CrmObject } from "./parse.ts";

const SET_IDS = { rsc_defaults: "rsc-options", op_defaults: "op-options" } as const;

const moveOf = ({ name, attributes }: XmlElement) =>
  name === "nvpair" ? MOVED.get(attributes["name"] ?? "") : undefined;

export function moveOldDefaults(objects: readonly CrmObject[]): {
  readonly objects: readonly CrmObject[];
  readonly warnings: readonly Problem[];
} {
  const warnings: Problem[] = [];
  const moved = objects.flatMap((object): readonly CrmObject[] => {
    const { element, section, marks, place } = object;
    if (section !== "crm_config" || !element.children.some((pair) => moveOf(pair) !== undefined)) return [object];
    const stays = element.children.filter((pair) => moveOf(pair) === undefined);
    const defaults = element.children.flatMap((pair): readonly CrmObject[] => {
      const move = moveOf(pair);
      if (move === undefined) return [];
      const { name = "", value = "" } = pair.attributes;
      const at = marks.get(pair) ?? place;
      const written = `${move.to} ${move.name}=${value}`;
      const reason = `${name} is read as ${written}`;
      warnings.push({ severity: "warning", place: at, reason, remedy: `write ${written}` });
      const today = xml("nvpair", { name: move.name, value });
      const set = xml("meta_attributes", { id: SET_IDS[move.to] }, [today]);
      return [{ section: move.to, element: set, place, marks: new Map([[today, at]]) }];
    });
    return stays.length === 0 ? defaults : [{ ...object, element: { ...element, children: stays } }, ...defaults];
  });
  return { objects: moved, warnings };
}
