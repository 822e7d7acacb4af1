import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../../cluster/command.ts';
import { bridge, paths } from './paths.ts';

const prefixLength = bridge.subnet.split('/')[1] ?? '24';

const cni = {
  cniVersion: '1.0.0',
  name: 'keyferry-e2e',
  plugins: [
    {
      type: 'bridge',
      bridge: bridge.name,
      isGateway: true,
      hairpinMode: true,
      ipam: {
        type: 'host-local',
        dataDir: paths.cniState,
        ranges: [[{ subnet: bridge.subnet, gateway: bridge.address }]],
        routes: [{ dst: '0.0.0.0/0' }],
      },
    },
  ],
};

/** Makes the bridge, which the API server listens on before there is a pod, and tells containerd how pods join it. */
export async function startNetwork(): Promise<void> {
  await ip(['link', 'add', bridge.name, 'type', 'bridge']);
  await ip(['addr', 'add', `${bridge.address}/${prefixLength}`, 'dev', bridge.name]);
  await ip(['link', 'set', bridge.name, 'up']);
  await writeFile('/proc/sys/net/ipv4/ip_forward', '1');
  await mkdir(paths.cniConfig, { recursive: true });
  await writeFile(join(paths.cniConfig, '10-keyferry.conflist'), JSON.stringify(cni));
}

/** Where libcni of containerd notes which pods joined which network. */
const cniResults = '/var/lib/cni/results';
const networkNamespaces = '/run/netns';

/** Removes the network namespaces of pods, which outlive them and containerd, and what is noted of them. */
export async function removePodNetworks(): Promise<void> {
  for (const name of await namesIn(networkNamespaces)) {
    if (name.startsWith('cni-') && (await isOfOurPods(name))) await ip(['netns', 'delete', name]);
  }
  const results = await namesIn(cniResults);
  const pods = new Set(results.flatMap((name) => podOf(name, cni.name) ?? []));
  for (const name of results) {
    const pod = podOf(name, cni.name) ?? podOf(name, 'cni-loopback');
    if (pod !== undefined && pods.has(pod)) await rm(join(cniResults, name), { force: true });
  }
}

/** Another container runtime of this machine has some too. */
async function isOfOurPods(networkNamespace: string): Promise<boolean> {
  const addresses = await runCommand('ip', ['-n', networkNamespace, '-o', '-4', 'addr', 'show']);
  return addresses.includes(` inet ${bridge.subnet.split('.').slice(0, 3).join('.')}.`);
}

/** A note is named after its network, its pod and its interface. */
function podOf(note: string, network: string): string | undefined {
  return note.startsWith(`${network}-`) ? note.slice(network.length + 1, note.lastIndexOf('-')) : undefined;
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}

export async function removeBridge(): Promise<void> {
  const links = await runCommand('ip', ['-o', 'link', 'show', 'type', 'bridge']);
  if (links.includes(` ${bridge.name}:`)) await ip(['link', 'delete', bridge.name]);
}

async function ip(args: readonly string[]): Promise<void> {
  await runCommand('ip', args);
}
