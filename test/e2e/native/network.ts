import { mkdir, writeFile } from 'node:fs/promises';
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
      ipMasq: true,
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

export async function removeBridge(): Promise<void> {
  const links = await runCommand('ip', ['-o', 'link', 'show', 'type', 'bridge']);
  if (links.includes(` ${bridge.name}:`)) await ip(['link', 'delete', bridge.name]);
}

async function ip(args: readonly string[]): Promise<void> {
  await runCommand('ip', args);
}
