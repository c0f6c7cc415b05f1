/** Words that all languages share. */
import { formatDate } from "../scheduler/facts/dates.ts";

/** A moment, written the same on every node and in every language. */
export const clock = (wallMs: number): string => formatDate(Math.floor(wallMs / 1000));
