/**
 * Rules: expressions over node attributes, dates, and the resource or operation at hand. Pure; the time is an input.
 * An instant at which a dated rule will change is reported, so that the scheduler is asked again then.
 * Facts: Pacemaker Explained, "Rules".
 */
import { entryOf } from "../../../../base/record.ts";
import type { XmlElement } from "../../../../base/xml.ts";
import { childOf, childrenOf } from "../../../../base/xml.ts";
import { addDuration, calendarOf, parseDate } from "./dates.ts";
import { parseDurationMs } from "./values.ts";

export interface RuleContext {
  readonly nowSeconds: number;
  /** How far local time is ahead of UTC, for times without a zone and for `date_spec`. */
  readonly zoneSeconds: number;
  readonly nodeAttributes?: Readonly<Record<string, string>>;
  readonly resource?: { readonly class: string; readonly provider?: string; readonly type: string };
  readonly operation?: { readonly name: string; readonly intervalMs: number };
  /** For expressions with value-source. */
  readonly parameters?: Readonly<Record<string, string>>;
  readonly meta?: Readonly<Record<string, string>>;
  /** For `$1` references of a resource pattern. */
  readonly matches?: readonly string[];
  /** Told every instant (seconds) at which time alone changes an answer. */
  readonly onChangeAt?: (seconds: number) => void;
}

type Comparison = number | undefined;

function compareIntegers(left: string, right: string): Comparison {
  const pattern = /^\s*[+-]?\d+/;
  if (!pattern.test(left) || !pattern.test(right)) return undefined;
  const [a, b] = [Number.parseInt(left, 10), Number.parseInt(right, 10)];
  return Math.sign(a - b);
}

function compareNumbers(left: string, right: string): Comparison {
  const [a, b] = [Number.parseFloat(left), Number.parseFloat(right)];
  return Number.isNaN(a) || Number.isNaN(b) ? undefined : Math.sign(a - b);
}

function compareVersions(left: string, right: string): number {
  const [a, b] = [left.split("."), right.split(".")];
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = (Number.parseInt(a[index] ?? "0", 10) || 0) - (Number.parseInt(b[index] ?? "0", 10) || 0);
    if (difference !== 0) return Math.sign(difference);
  }
  return 0;
}

function compareText(left: string, right: string): number {
  const [a, b] = [left.toLowerCase(), right.toLowerCase()];
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function compareValues(left: string, right: string, type: string): number {
  if (type === "integer") return compareIntegers(left, right) ?? compareText(left, right);
  if (type === "number") return compareNumbers(left, right) ?? compareText(left, right);
  if (type === "version") return compareVersions(left, right);
  return compareText(left, right);
}

function referenceValue(expression: XmlElement, context: RuleContext): string | undefined {
  const { value, "value-source": source } = expression.attributes;
  if (value === undefined) return undefined;
  if (source === "param") return entryOf(context.parameters, value);
  if (source === "meta") return entryOf(context.meta, value);
  return value;
}

function attributeHolds(expression: XmlElement, context: RuleContext): boolean {
  const { attribute: pattern = "", operation = "", type } = expression.attributes;
  const attribute = pattern.replaceAll(
    /%([0-9])/g,
    (whole, digit: string) => context.matches?.[Number(digit)] ?? whole,
  );
  if (context.nodeAttributes === undefined) return false;
  const actual = entryOf(context.nodeAttributes, attribute);
  if (operation === "defined") return actual !== undefined;
  if (operation === "not_defined") return actual === undefined;
  const wanted = referenceValue(expression, context);
  if (operation === "eq" || operation === "ne") {
    const equal = actual !== undefined && wanted !== undefined && compareValues(actual, wanted, type ?? "string") === 0;
    const bothMissing = actual === undefined && wanted === undefined;
    return (equal || bothMissing) === (operation === "eq");
  }
  if (actual === undefined || wanted === undefined) return false;
  const order = type ?? (actual.includes(".") || wanted.includes(".") ? "number" : "integer");
  const result = compareValues(actual, wanted, order);
  if (operation === "lt") return result < 0;
  if (operation === "gt") return result > 0;
  if (operation === "lte") return result <= 0;
  return operation === "gte" && result >= 0;
}

function inSpec(spec: XmlElement, { nowSeconds, zoneSeconds }: RuleContext): boolean {
  const fields = calendarOf(nowSeconds + zoneSeconds);
  return Object.entries(fields).every(([unit, value]) => {
    const range = entryOf(spec.attributes, unit);
    if (range === undefined) return true;
    const [low = "", high] = range.split(/(?<=\d)-|^-/);
    const from = low === "" ? Number.NEGATIVE_INFINITY : Number(low);
    const to = high === undefined ? (range.includes("-") ? Number.POSITIVE_INFINITY : from) : Number(high || Infinity);
    return value >= from && value <= to;
  });
}

function dateHolds(expression: XmlElement, context: RuleContext): boolean {
  const { operation = "in_range", start: startText, end: endText } = expression.attributes;
  const start = parseDate(startText, context.zoneSeconds);
  const duration = childOf(expression, "duration");
  let end = parseDate(endText, context.zoneSeconds);
  if (end === undefined && duration !== undefined && start !== undefined) end = addDuration(start, duration.attributes);
  const now = context.nowSeconds;
  const changes = (at: number | undefined) => {
    if (at !== undefined && at > now) context.onChangeAt?.(at);
  };
  switch (operation) {
    case "date_spec": {
      const spec = childOf(expression, "date_spec");
      return spec !== undefined && inSpec(spec, context);
    }
    case "gt":
      changes(start === undefined ? undefined : start + 1);
      return start !== undefined && now > start;
    case "lt":
      changes(end);
      return end !== undefined && now < end;
    default:
      if (start === undefined && end === undefined) return false;
      if (start !== undefined && now < start) {
        changes(start);
        return false;
      }
      changes(end === undefined ? undefined : end + 1);
      return end === undefined || now <= end;
  }
}

function expressionHolds(expression: XmlElement, context: RuleContext): boolean {
  switch (expression.name) {
    case "rule":
      return ruleHolds(expression, context);
    case "expression":
      return attributeHolds(expression, context);
    case "date_expression":
      return dateHolds(expression, context);
    case "rsc_expression": {
      const { resource } = context;
      const { class: agentClass, provider, type } = expression.attributes;
      if (resource === undefined) return false;
      return (
        (agentClass === undefined || agentClass === resource.class) &&
        (provider === undefined || provider === resource.provider) &&
        (type === undefined || type === resource.type)
      );
    }
    case "op_expression": {
      const { name, interval } = expression.attributes;
      if (context.operation === undefined || name !== context.operation.name) return false;
      return interval === undefined || parseDurationMs(interval) === context.operation.intervalMs;
    }
    default:
      return false;
  }
}

const EXPRESSIONS = new Set(["rule", "expression", "date_expression", "rsc_expression", "op_expression"]);

/** An empty rule holds only when it is an `and`, as logic has it. */
export function ruleHolds(rule: XmlElement, context: RuleContext): boolean {
  const expressions = rule.children.filter(({ name }) => EXPRESSIONS.has(name));
  return rule.attributes["boolean-op"] === "or"
    ? expressions.some((expression) => expressionHolds(expression, context))
    : expressions.every((expression) => expressionHolds(expression, context));
}

/** Whether the element's rules let it apply: no rule, or one that holds. */
export function applies(element: XmlElement, context: RuleContext): boolean {
  const rules = childrenOf(element, "rule");
  return rules.length === 0 || rules.some((rule) => ruleHolds(rule, context));
}
