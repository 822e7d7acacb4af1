import { access, constants } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type BinaryName, etcdVersion, kubernetesVersion } from './versions.ts';

export async function ensureBinary(
  name: BinaryName,
  _options: { readonly log: (line: string) => void },
): Promise<string> {
  const dir = name === 'etcd' ? `etcd-${etcdVersion}` : `kubernetes-${kubernetesVersion}`;
  const path = join(homedir(), '.cache', 'keyferry', 'assets', dir, name);
  await access(path, constants.X_OK);
  return path;
}
