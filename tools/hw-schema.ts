/**
 * Writes hw-profiles/schema.json from the schema that the program reads profiles with, so that editors know it too.
 * Usage: node tools/hw-schema.ts     test/hw/profiles.test.ts fails when the file is not up to date.
 */
import { writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { profileSchema } from "../src/hw/core/profile/schema.ts";

type Json = { readonly [key: string]: unknown };

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && name in value ? Reflect.get(value, name) : undefined;
}

/** JSON Schema's words for valibot's actions that the profile schema uses. */
const LIMITS: Readonly<Record<string, string>> = {
  min_length: "minLength",
  max_length: "maxLength",
  min_value: "minimum",
  max_value: "maximum",
  regex: "pattern",
};

function limitsOf(schema: unknown): Json {
  const pipe = field(schema, "pipe");
  const limits: Record<string, unknown> = {};
  for (const action of Array.isArray(pipe) ? pipe.slice(1) : []) {
    const type = String(field(action, "type"));
    const word = LIMITS[type];
    const requirement = field(action, "requirement");
    if (word !== undefined) limits[word] = requirement instanceof RegExp ? requirement.source : requirement;
    else if (type === "integer") limits["type"] = "integer";
    else throw new Error(`no JSON Schema for the action ${type}`);
  }
  return limits;
}

function convert(schema: unknown): Json {
  const type = String(field(schema, "type"));
  if (type === "optional") return convert(field(schema, "wrapped"));
  if (type === "string" || type === "number" || type === "boolean") return { type, ...limitsOf(schema) };
  if (type === "picklist") return { enum: field(schema, "options") };
  if (type === "record") return { type: "object", additionalProperties: convert(field(schema, "value")) };
  if (type !== "strict_object") throw new Error(`no JSON Schema for ${type}`);
  const entries = Object.entries(field(schema, "entries") ?? {});
  return {
    type: "object",
    additionalProperties: false,
    required: entries.filter(([, entry]) => field(entry, "type") !== "optional").map(([name]) => name),
    properties: Object.fromEntries(entries.map(([name, entry]) => [name, convert(entry)])),
  };
}

/** The text of hw-profiles/schema.json. */
export function profileJsonSchema(): string {
  const head = { $schema: "https://json-schema.org/draft/2020-12/schema", title: "gemel hardware profile" };
  return `${JSON.stringify({ ...head, ...convert(profileSchema) }, null, 2)}\n`;
}

if (process.argv[1] === import.meta.filename) {
  writeFileSync(path.resolve(import.meta.dirname, "../hw-profiles/schema.json"), profileJsonSchema());
}
