/** Questions to other managers: numbered, and answered in time or not at all. */
import { type Manager, sendAnywhere } from "./manager.ts";
import type { ManagerMessage } from "./messages.ts";

/** A peer's manager that does not answer is being restarted or has gone; the asker may ask again. */
export const ASK_WAIT_MS = 60_000;
/** A topology with retries; the fencer bounds itself. */
export const ASK_FENCE_WAIT_MS = 20 * 60_000;

/** Sends a numbered question and waits for its answer; undefined when none comes in time, or none can come any more. */
export function ask(
  manager: Manager,
  to: string,
  make: (number: number) => ManagerMessage,
  waitMs = ASK_WAIT_MS,
): Promise<ManagerMessage | undefined> {
  const number = manager.nextAsk;
  manager.nextAsk += 1;
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      manager.asked.delete(number);
      resolve(undefined);
    }, waitMs);
    const end = (message: ManagerMessage | undefined) => {
      clearTimeout(timer);
      manager.asked.delete(number);
      resolve(message);
    };
    manager.asked.set(number, { to, end });
    sendAnywhere(manager, to, make(number));
  });
}
