/**
 * Debian's packages, unpacked and never configured: the root as a tar file, and the packages of which only a part is
 * taken. The .deb files are kept in .cache/image/debs, so that a change of the list fetches only what is new.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { BASE, CACHE, cached, hashOf, ImageError, readList, run } from "./work.ts";

const DEBS = path.join(CACHE, "debs");
const ARCHIVES = "var/cache/apt/archives";
const HOST_SOURCES = ["/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list"];
const DEFAULT_SOURCES = `deb http://deb.debian.org/debian bookworm main
deb http://deb.debian.org/debian bookworm-updates main
deb http://deb.debian.org/debian-security bookworm-security main
`;

/** The sources of this machine when they are Debian 12's (it may use a mirror), else Debian's own. */
function sourcesText(): string {
  const file = HOST_SOURCES.find((each) => existsSync(each) && readFileSync(each, "utf8").includes("bookworm"));
  return file === undefined ? DEFAULT_SOURCES : readFileSync(file, "utf8");
}

export interface Packages {
  /** All packages of packages.list, unpacked. */
  readonly rootTar: string;
  /** Holds the .deb files of parts.list, one directory a package. */
  readonly parts: string;
  readonly key: string;
}

/** One hook for mmdebstrap; apt runs with the configuration and lists of the new root. */
function partsHook(directory: string): string {
  const lines = readList(path.join(BASE, "parts.list")).map(([name = ""]) => {
    // A meta package, as linux-image-amd64, stands for the package that it depends on.
    const prefix = name.replace("-amd64", "");
    const real = `$(apt-cache depends ${name} | sed -n 's/^  Depends: \\(${prefix}-.*\\)/\\1/p' | head -1)`;
    const place = path.join(directory, "parts", name);
    return `mkdir -p '${place}'; cd '${place}'; r=${real}; apt-get -qq download "\${r:-${name}}"`;
  });
  return `set -e; export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"; ${lines.join("; ")}`;
}

/** Needs the package registry (or the kept .deb files and its index); about 10 s. */
export function unpackPackages(): Packages {
  const sources = sourcesText();
  const lists = ["packages.list", "parts.list"].map((name) => readFileSync(path.join(BASE, name)));
  const key = hashOf(sources, ...lists, readFileSync(import.meta.filename));
  const include = readList(path.join(BASE, "packages.list")).flat().join(",");
  const directory = cached("packages", key, (temporary) => {
    mkdirSync(DEBS, { recursive: true });
    const extension = sources.startsWith("Types:") ? "sources" : "list";
    const sourcesFile = path.join(temporary, `debian.${extension}`);
    writeFileSync(sourcesFile, sources);
    try {
      run("mmdebstrap", [
        ...["--quiet", "--mode=root", "--variant=extract", "--format=tar"],
        "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
        ...["--aptopt=Apt::Install-Recommends false", "--aptopt=Acquire::Languages none"],
        ...["--skip=essential/unlink,cleanup/apt,cleanup/reproducible", `--include=${include}`],
        `--setup-hook=mkdir -p "$1/${ARCHIVES}/partial"; cp '${DEBS}'/*.deb "$1/${ARCHIVES}/" || true`,
        `--extract-hook=${partsHook(temporary)}`,
        `--extract-hook=cp -n "$1/${ARCHIVES}"/*.deb '${DEBS}/'`,
        `--extract-hook=rm -rf "$1/${ARCHIVES}" "$1/var/lib/apt/lists"`,
        ...["bookworm", path.join(temporary, "root.tar"), sourcesFile],
      ]);
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      throw new ImageError(`the packages cannot be fetched or unpacked: ${error.message}`);
    }
  });
  return { rootTar: path.join(directory, "root.tar"), parts: path.join(directory, "parts"), key };
}
