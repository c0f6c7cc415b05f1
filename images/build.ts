/**
 * The appliance image: `npm run image` builds the system disk template; the lab imports the functions below.
 * Everything made lies below .cache/image/, keyed by the hash of what it was made from. docs/operations/image.md tells
 * the layout of the disk and the flow of the boot.
 */

/** What a boot needs: the disk as a node gets it, without the data partition filled. */
export interface Image {
  /** A whole GPT disk (boot loader, slot A, empty slot B), to be copied by makeNodeDisk; never booted itself. */
  readonly systemDisk: string;
  /** Uncompressed ELF kernel and its initramfs, for a start without the boot loader (`-kernel`, `-initrd`). */
  readonly kernel: string;
  readonly initramfs: string;
  /** Kernel arguments for that start. */
  readonly kernelArguments: string;
  /** Hash over all inputs: the name of this very image. */
  readonly hash: string;
}

/** One file of the data partition: its text, or the file it is copied from. `mode` is 0o644 unless given. */
export type DataFile =
  | { readonly content: string; readonly mode?: number }
  | { readonly source: string; readonly mode?: number };

export interface NodeDisk {
  /** The disk file to write (raw, sparse). It is made beside its place and renamed. */
  readonly file: string;
  readonly hostname: string;
  /**
   * Paths below /data, as `gemel/node.conf`, `gemel/authkeys`, `gemel/cluster.crm`, `gemel/drbd.d/r0.res`,
   * `gemel/network`, `lab` (its existence starts the lab agent). Owner root.
   */
  readonly dataFiles: Readonly<Record<string, DataFile>>;
  /** Size of the data partition, 96 MiB unless given. */
  readonly dataSizeBytes?: number;
}

/** Builds what is out of date (about 4 minutes from nothing, 10 s for a new program) and says so on standard error. */
export async function buildImage(): Promise<Image> {
  throw new Error("the image is still being written");
}

/** Writes the bootable disk of one node: the system partitions of `image` and a data partition with the given files. */
export async function makeNodeDisk(_image: Image, _disk: NodeDisk): Promise<void> {
  throw new Error("the image is still being written");
}
