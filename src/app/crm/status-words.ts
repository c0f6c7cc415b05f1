/** The words behind `status`, as the options of crm_mon that they stand for. */

/** Fact: crm(8), status: words for options of crm_mon. */
export const STATUS_FLAGS: Readonly<Record<string, readonly string[]>> = {
  full: ["-f", "-A", "-o", "-t", "-c", "-r"],
  bynode: ["-n"],
  inactive: ["-r"],
  ops: ["-o"],
  timing: ["-t"],
  failcounts: ["-f"],
  tickets: ["-c"],
  detail: ["-R"],
  brief: ["-b"],
  noheaders: ["-D"],
  simple: ["-s"],
  xml: ["--output-as=xml"],
  html: ["--output-as=html"],
  quiet: ["-Q"],
  verbose: ["-V"],
};

export const STATUS_WORDS = Object.keys(STATUS_FLAGS);
