import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessGroup } from '../../cluster/process-group.ts';
import { bridge, nodeDir } from './paths.ts';

export interface DnsSpec {
  readonly binary: string;
  readonly kubeconfig: string;
}

/** Starts CoreDNS, which answers the pods' questions about Services. */
export async function startDns(group: ProcessGroup, { binary, kubeconfig }: DnsSpec): Promise<void> {
  const file = join(nodeDir, 'Corefile');
  const plugins = [`bind ${bridge.address}`, `kubernetes cluster.local {\n    kubeconfig ${kubeconfig}\n  }`, 'errors'];
  await writeFile(file, `.:53 {\n  ${plugins.join('\n  ')}\n}\n`);
  await group.start('coredns', binary, ['-conf', file]);
}
