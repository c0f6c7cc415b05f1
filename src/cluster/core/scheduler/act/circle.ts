/**
 * Orders that go round in a circle: each action waits for another one of the circle, so none of them ever begins. Which
 * constraints do it can be seen only here: a group's own order, a clone's, and a constraint may make a circle together.
 */
import type { Problem } from "../../../../base/problem.ts";
import type { Facts, Resource } from "../facts/model.ts";
import { isWithin } from "../facts/model.ts";
import { pictureName } from "../print/names.ts";
import type { Action } from "./actions.ts";
import type { Graph } from "./included.ts";

/** A circle of actions, each before the next one and the last before the first; empty when there is none. */
export function circleIn({ steps, inputs }: Graph): readonly Action[] {
  const done = new Set<Action>();
  for (const start of steps) {
    const trail: { readonly step: Action; at: number }[] = done.has(start) ? [] : [{ step: start, at: 0 }];
    const onTrail = new Set<Action>([start]);
    for (let top = trail.at(-1); top !== undefined; top = trail.at(-1)) {
      const next = inputs.get(top.step)?.[top.at];
      top.at += 1;
      if (next === undefined) {
        done.add(top.step);
        onTrail.delete(top.step);
        trail.pop();
      } else if (onTrail.has(next)) {
        // The trail goes from what waits to what it waits for.
        const path = trail.map(({ step }) => step);
        return path.slice(path.indexOf(next)).reverse();
      } else if (!done.has(next)) {
        onTrail.add(next);
        trail.push({ step: next, at: 0 });
      }
    }
  }
  return [];
}

/** The order constraints between resources of the circle, each once. */
function ordersOf(facts: Facts, circle: readonly Action[]): string[] {
  const resources = circle.flatMap(({ resource }) => (resource === undefined ? [] : [resource]));
  const isTouched = (whole: Resource) => resources.some((each) => isWithin(each, whole) || isWithin(whole, each));
  const touching = facts.orders.filter(({ first, second }) => isTouched(first) && isTouched(second));
  return [...new Set(touching.map(({ id }) => id))];
}

/** Names the circle and the orders that make it; nothing when everything can begin. */
export function circleProblems(facts: Facts, graph: Graph): Problem[] {
  const circle = circleIn(graph);
  const [first] = circle;
  if (first === undefined) return [];
  const orders = ordersOf(facts, circle).map((id) => `//rsc_order[@id="${id}"]`);
  return [
    {
      severity: "error",
      place: orders.length === 0 ? "/cib/configuration/constraints" : orders.join(", "),
      reason: `an order waits for itself: ${[...circle, first].map(pictureName).join(" -> ")}; none of it can begin`,
      remedy: "remove one of these orders",
    },
  ];
}
