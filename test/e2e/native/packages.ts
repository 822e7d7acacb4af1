import { access } from 'node:fs/promises';
import { runCommand } from '../../cluster/command.ts';
import { type Log, withProgress } from '../../cluster/progress.ts';

/** Debian packages by a program that each brings. */
const packages = {
  '/usr/bin/containerd': 'containerd',
  '/usr/sbin/runc': 'runc',
  '/usr/lib/cni/bridge': 'containernetworking-plugins',
  '/usr/bin/buildah': 'buildah',
  '/usr/bin/mmdebstrap': 'mmdebstrap',
  '/usr/sbin/iptables': 'iptables',
  '/sbin/ip': 'iproute2',
  '/usr/bin/dpkg-deb': 'dpkg',
  '/usr/bin/pkill': 'procps',
} as const;

/** Installs what a node needs and this machine lacks. Throws, saying what to install, where that can't be done. */
export async function ensurePackages(log: Log): Promise<void> {
  const present = await Promise.all(Object.keys(packages).map(exists));
  const missing = Object.values(packages).filter((_, index) => present[index] === false);
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0) {
    throw new Error(
      `A node on this machine takes the packages ${missing.join(', ')} and root. Start Docker, and kind is used instead.`,
    );
  }
  await withProgress(`Installing ${missing.join(', ')}`, log, async () => {
    const env = { DEBIAN_FRONTEND: 'noninteractive' };
    await runCommand('apt-get', ['update', '-q'], { env });
    await runCommand('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...missing], { env });
  });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
