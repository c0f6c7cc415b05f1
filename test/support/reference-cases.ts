/** The scheduler's reference CIBs, as Debian's Pacemaker 2.1.5 can read them: for tests that compare with its tools. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";

const CASES = path.resolve(
  process.env["GEMEL_SHARED"] ?? path.join(import.meta.dirname, "../../../shared"),
  "scheduler-cases/xml",
);

/** Their file names, in order; none where they are not. */
export function referenceCases(): readonly string[] {
  try {
    return readdirSync(CASES).toSorted();
  } catch {
    return [];
  }
}

/**
 * The cases speak newer names of options and newer schemas than Pacemaker 2.1.5 knows; and of the oldest ones the fail
 * counts were given the names that came with feature set 3.0.13.
 */
export function readReferenceCase(name: string): string {
  return readFileSync(path.join(CASES, name), "utf8")
    .replace(/(<cib [^>]*?)crm_feature_set="(?:[12]\..*?|3\.0\.(?:\d|1[0-2]))"/, '$1crm_feature_set="3.0.14"')
    .replace(/<cib (?![^>]*crm_feature_set)/, '<cib crm_feature_set="3.0.14" ')
    .replace(/(<cib [^>]*?validate-with=")pacemaker-(?:3\.1\d|4\.\d+)"/, '$1pacemaker-3.9"')
    .replaceAll(/name="fencing-(enabled|action|timeout)"/g, 'name="stonith-$1"')
    .replaceAll('name="stop-removed-resources"', 'name="stop-orphan-resources"');
}
