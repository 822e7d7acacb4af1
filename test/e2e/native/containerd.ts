import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../../cluster/command.ts';
import type { ProcessGroup } from '../../cluster/process-group.ts';
import { pauseImage } from '../images/names.ts';
import { nodeDir, paths } from './paths.ts';

/** As few settings as a node without systemd needs: see https://github.com/containerd/containerd/blob/main/docs/cri/config.md. */
const config = `version = 2
root = "${paths.containerdRoot}"
state = "${paths.containerdState}"

[grpc]
  address = "${paths.containerdSocket}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  restrict_oom_score_adj = true
  disable_apparmor = true

  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${paths.cniConfig}"
`;

export async function startContainerd(group: ProcessGroup): Promise<void> {
  await mkdir(nodeDir, { recursive: true });
  const file = join(nodeDir, 'containerd.toml');
  await writeFile(file, config);
  await group.start('containerd', 'containerd', ['--config', file, '--log-level', 'warn']);
  await group.ready('containerd', async () => {
    await ctr(['version']);
    return true;
  });
}

/** The client of containerd, in the namespace that a kubelet uses. */
export function ctr(args: readonly string[]): Promise<string> {
  return runCommand('ctr', ['--address', paths.containerdSocket, '--namespace', 'k8s.io', ...args]);
}
