/** Operations of resources: two that cannot be told apart, monitors that never run, timeouts nobody chose. */
import { childOf, childrenOf, type XmlElement } from "../../base/xml.ts";
import { everyElement, type Finding, finding, optionsIn, type Seen } from "./finding.ts";
import { readTimeMs } from "./values.ts";

interface Operation {
  readonly element: XmlElement;
  readonly name: string;
  /** Undefined when it cannot be read, which is told elsewhere. */
  readonly intervalMs: number | undefined;
}

function operationsOf(primitive: XmlElement | undefined): Operation[] {
  return childrenOf(childOf(primitive, "operations"), "op").map((element) => ({
    element,
    name: element.attributes["name"] ?? "",
    intervalMs: readTimeMs(element.attributes["interval"] ?? "0"),
  }));
}

function checkPrimitive(seen: Seen, template: XmlElement | undefined, hasDefaultTimeout: boolean): Finding[] {
  const operations = operationsOf(seen.element);
  const at = ({ element }: Operation): Seen => ({ element, above: [...seen.above, seen.element] });
  const findings: Finding[] = [];
  const { id = "" } = seen.element.attributes;
  // Fencing devices are not started: they are asked for when they are needed, with times of their own.
  const isDevice = ["stonith", "fencing"].includes(seen.element.attributes["class"] ?? "");
  operations.forEach((operation, index) => {
    const { name, intervalMs } = operation;
    const twin = operations
      .slice(0, index)
      .find((other) => other.name === name && other.intervalMs === intervalMs && intervalMs !== undefined);
    if (twin !== undefined && intervalMs !== undefined) {
      const roles = [twin, operation]
        .map(({ element }) => element.attributes["role"])
        .filter((role) => role !== undefined);
      const interval = `the interval ${intervalMs / 1000} s`;
      const reason = `${id} has two operations ${name} with ${interval}, which cannot be told apart`;
      const remedy =
        roles.length > 0 ? "give the roles different intervals, such as 10s and 11s" : "remove one of them";
      findings.push(finding("error", at(operation), reason, remedy));
    }
    if (readTimeMs(operation.element.attributes["timeout"] ?? "1") === 0) {
      const reason = `${id} gives ${name} no time (timeout of 0); 20 s will be used`;
      findings.push(finding("warning", at(operation), reason, "write timeout=60s, or what it needs"));
    }
    if (name === "monitor" && intervalMs === 0)
      findings.push(
        finding("warning", at(operation), `the monitor of ${id} has no interval and never recurs`, "add interval=10s"),
      );
  });
  const own = [...operations, ...operationsOf(template)];
  const isTimed = (operation: Operation) =>
    operation.element.attributes["timeout"] !== undefined ||
    optionsIn(operation.element, "meta_attributes")["timeout"] !== undefined;
  const lacking = ["start", "stop"].filter(
    (name) => !own.some((operation) => operation.name === name && isTimed(operation)),
  );
  if (lacking.length > 0 && !hasDefaultTimeout && !isDevice) {
    const reason = `${id} has no timeout for ${lacking.join(" and ")}; 20 s will be used`;
    const remedy = lacking.map((name) => `op ${name} timeout=60s`).join(" ");
    findings.push(finding("warning", seen, reason, `add ${remedy}, or op_defaults timeout=`));
  }
  if (!own.some(({ name, intervalMs }) => name === "monitor" && intervalMs !== 0) && !isDevice)
    findings.push(
      finding(
        "warning",
        seen,
        `${id} is not monitored: its failure would go unseen`,
        "add op monitor interval=10s timeout=20s",
      ),
    );
  return findings;
}

export function checkOperations(configuration: XmlElement): Finding[] {
  const templates = childrenOf(childOf(configuration, "resources"), "template");
  const hasDefaultTimeout =
    optionsIn(childOf(configuration, "op_defaults"), "meta_attributes")["timeout"] !== undefined;
  return everyElement(configuration).flatMap((seen) => {
    if (seen.element.name !== "primitive") return [];
    const template = templates.find(({ attributes }) => attributes["id"] === seen.element.attributes["template"]);
    return checkPrimitive(seen, template, hasDefaultTimeout);
  });
}
