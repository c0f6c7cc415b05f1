/**
 * What is mounted where, from the text of /proc/PID/mountinfo; reading it never waits for a disk.
 * Fact: proc(5), /proc/pid/mountinfo; white space and backslashes stand in octal.
 */
export interface Mount {
  readonly id: number;
  /** `8:1` */
  readonly device: string;
  /** The part of the file system that is mounted; `/` but for bind mounts. */
  readonly root: string;
  readonly mountPoint: string;
  readonly options: readonly string[];
  readonly type: string;
  readonly source: string;
  /** Of the file system itself: where `ro` stands after it has given up writing. */
  readonly superOptions: readonly string[];
}

const plain = (field: string) =>
  field.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/** In the order of mounting; lines that are not understood are left out. */
export function parseMountinfo(text: string): readonly Mount[] {
  return text.split("\n").flatMap((line) => {
    const [before, after] = line.split(" - ");
    const [id, , device, root, mountPoint, options] = (before ?? "").split(" ");
    const [type, source, superOptions] = (after ?? "").split(" ");
    if (!device || !root || !mountPoint || !options || !type || source === undefined) return [];
    return [
      {
        id: Number(id),
        device,
        root: plain(root),
        mountPoint: plain(mountPoint),
        options: options.split(","),
        type,
        source: plain(source),
        superOptions: (superOptions ?? "").split(","),
      },
    ];
  });
}

/** The mount that is seen at a path: the last one there. */
export function mountAt(mounts: readonly Mount[], mountPoint: string): Mount | undefined {
  return mounts.findLast((mount) => mount.mountPoint === mountPoint);
}

/** The mount at the path and all below it, in the order in which they can be unmounted. */
export function mountsBelow(mounts: readonly Mount[], mountPoint: string): readonly Mount[] {
  const prefix = mountPoint === "/" ? "/" : `${mountPoint}/`;
  const below = (mount: Mount) => mount.mountPoint === mountPoint || mount.mountPoint.startsWith(prefix);
  return mounts.filter(below).reverse();
}
