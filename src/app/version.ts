/** The version of the program; `tools/build.ts` checks that package.json says the same. */
export const VERSION = "0.1.0";
