/** Wall-clock time as ctime(3) writes it, in the zone of this process. */

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"] as const;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;

/** `Thu Dec  1 16:55:21 2011`. */
export function ctime(wallMs: number): string {
  const at = new Date(wallMs);
  const two = (value: number) => String(value).padStart(2, "0");
  const date = `${MONTHS[at.getMonth()]} ${String(at.getDate()).padStart(2)}`;
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return `${DAYS[at.getDay()]} ${date} ${time} ${at.getFullYear()}`;
}
