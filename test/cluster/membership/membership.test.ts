/** Membership of a pair, told as stories: scenarios/*.txt. */
import path from "node:path";
import { playMembership } from "../../support/membership-pair.ts";
import { testScenarios } from "../../support/scenarios.ts";

testScenarios(path.join(import.meta.dirname, "scenarios"), playMembership);
