/** /proc/PID/mountinfo as the kernel writes it. */
import { expect, test } from "vitest";
import { mountAt, mountsBelow, parseMountinfo } from "../../../src/storage/core/mountinfo.ts";

const TEXT = String.raw`22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
40 22 147:0 / /srv/data rw,noatime - ext4 /dev/drbd0 ro
41 40 0:30 / /srv/data/a\040b rw shared:2 master:1 - tmpfs tmpfs rw,size=1k
42 22 0:31 /sub /srv/database rw - tmpfs none rw
nonsense
`;

test("fields, escapes and optional fields are read", () => {
  const mounts = parseMountinfo(TEXT);
  expect(mounts).toHaveLength(4);
  expect(mounts[2]).toEqual({
    id: 41,
    device: "0:30",
    root: "/",
    mountPoint: "/srv/data/a b",
    options: ["rw"],
    type: "tmpfs",
    source: "tmpfs",
    superOptions: ["rw", "size=1k"],
  });
  expect(mountAt(mounts, "/srv/data")?.superOptions).toEqual(["ro"]);
});

test("what lies below is unmounted first, and a name that only begins alike is not below", () => {
  const below = mountsBelow(parseMountinfo(TEXT), "/srv/data").map(({ mountPoint }) => mountPoint);
  expect(below).toEqual(["/srv/data/a b", "/srv/data"]);
});
