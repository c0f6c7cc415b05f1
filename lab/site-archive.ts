/**
 * What the site of the source documents has installed beside the cluster: Debian's Apache and wget with their
 * libraries, and the apache agent, as a tar archive that the guests fetch from the lab.
 */
import { copyFileSync, createReadStream, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { HOST_SEEN_BY_GUEST } from "./addresses.ts";
import { command } from "./processes.ts";

const PROGRAMS = ["/usr/sbin/apache2", "/usr/bin/wget"];
const MODULES = "/usr/lib/apache2/modules";
const AGENT = "/usr/lib/ocf/resource.d/heartbeat/apache";
const LIBRARIES = "usr/lib/x86_64-linux-gnu";
const HTTPD_CONF = path.join(import.meta.dirname, "configuration/site/httpd.conf");

export interface SiteArchive {
  /** As a guest reaches it. */
  readonly url: string;
  close(): void;
}

/** The files of the libraries that a program needs, by ldd(1), without those that belong to the guest's own loader. */
async function librariesOf(file: string): Promise<readonly string[]> {
  const said = await command("ldd", file);
  const files = [...said.matchAll(/=> (\/\S+) /g)].map(([, library = ""]) => library);
  return files.filter((file) => !/\/lib(?:c|m|dl|rt|pthread)\.so\.\d+$/.test(file));
}

export async function serveSiteArchive(): Promise<SiteArchive> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "gemel-site-"));
  const root = path.join(folder, "root");
  const place = (file: string, to: string) => {
    mkdirSync(path.dirname(path.join(root, to)), { recursive: true });
    copyFileSync(file, path.join(root, to));
  };
  for (const program of PROGRAMS) {
    place(program, program);
    for (const library of await librariesOf(program)) place(library, path.join(LIBRARIES, path.basename(library)));
  }
  for (const name of ["mpm_event", "authz_core", "authz_host", "access_compat", "dir", "status"])
    place(path.join(MODULES, `mod_${name}.so`), `modules/mod_${name}.so`);
  place(AGENT, "apache");
  place(HTTPD_CONF, "etc/httpd/conf/httpd.conf");
  const archive = path.join(folder, "site.tar");
  await command("tar", "--create", "--owner=0", "--group=0", "--file", archive, "--directory", root, ".");

  const server = http.createServer((_, response) => createReadStream(archive).pipe(response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${HOST_SEEN_BY_GUEST}:${port}/site.tar`,
    close() {
      server.closeAllConnections();
      server.close();
      rmSync(folder, { recursive: true });
    },
  };
}
