/**
 * Tells of a disk that refuses: when that begins, when it refuses for another reason, every ten minutes while it lasts
 * (it is tried again each second, and a full disk may be the very one that holds the log), and when it is over.
 */
export interface RefusalTeller {
  readonly refused: (error: unknown) => void;
  readonly taken: () => void;
}

const REMIND_MS = 600_000;

const codeOf = (error: unknown) => (error instanceof Error && "code" in error ? String(error.code) : String(error));

export function createRefusalTeller(
  tell: (severity: "error" | "warning", reason: string) => void,
  nowMs: () => number = () => performance.now(),
): RefusalTeller {
  let since: { readonly code: string; readonly beganMs: number; readonly toldMs: number } | undefined;
  return {
    refused(error) {
      const [code, atMs] = [codeOf(error), nowMs()];
      if (since?.code === code && atMs - since.toldMs < REMIND_MS) return;
      const lasting = since === undefined ? "" : `, for ${Math.round((atMs - since.beganMs) / 1_000)} s now`;
      since = { code, beganMs: since?.beganMs ?? atMs, toldMs: atMs };
      const reason = error instanceof Error ? error.message : String(error);
      tell("error", `the configuration cannot be written${lasting}: ${reason}`);
    },
    taken() {
      if (since === undefined) return;
      const forSeconds = ((nowMs() - since.beganMs) / 1_000).toFixed(1);
      since = undefined;
      tell("warning", `the configuration is written again, after ${forSeconds} s`);
    },
  };
}
