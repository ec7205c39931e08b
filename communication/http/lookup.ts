/**
 * The system's resolver. It runs in the host, or in a broker's process.
 *
 * @module
 */

/**
 * Asks the system, as every program on this machine does: `/etc/hosts`, then
 * name servers. IPv4 comes first.
 *
 * @param host Name of the host.
 * @returns Its addresses, IPv6 without brackets; none, if it has none.
 */
export async function lookup(host: string): Promise<readonly string[]> {
  const dns = await import("node:dns");
  return await new Promise((resolve) => {
    dns.lookup(host, { all: true, order: "ipv4first" }, (error, found) => {
      resolve(error === null ? found.map(({ address }) => address) : []);
    });
  });
}
