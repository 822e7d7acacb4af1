import { join } from 'node:path';
import { runCommand } from './command.ts';
import { installExecutable } from './draft.ts';
import { type Log, withProgress } from './progress.ts';
import { type BinaryName, corednsVersion, etcdVersion, helmVersion, kubernetesVersion } from './versions.ts';

interface Recipe {
  /** Folder of the Go module that pins everything. */
  readonly module: string;
  readonly package: string;
  readonly version: string;
  readonly linkerFlags: string;
}

function recipe(name: BinaryName): Recipe {
  if (name === 'etcd') {
    const module = join(import.meta.dirname, 'tools-etcd');
    return { module, package: 'go.etcd.io/etcd/server/v3', version: etcdVersion, linkerFlags: '-s -w' };
  }
  if (name === 'coredns') {
    const module = join(import.meta.dirname, 'tools-coredns');
    return { module, package: '.', version: corednsVersion, linkerFlags: '-s -w' };
  }
  if (name === 'helm') {
    const module = join(import.meta.dirname, 'tools-helm');
    const linkerFlags = `-s -w -X helm.sh/helm/v3/internal/version.version=${helmVersion}`;
    return { module, package: 'helm.sh/helm/v3/cmd/helm', version: helmVersion, linkerFlags };
  }
  const [major = '', minor = ''] = kubernetesVersion.slice(1).split('.');
  const stamps = { gitVersion: kubernetesVersion, gitMajor: major, gitMinor: minor };
  const flags = Object.entries(stamps).map(([key, value]) => `-X k8s.io/component-base/version.${key}=${value}`);
  return {
    module: join(import.meta.dirname, 'tools'),
    package: `k8s.io/kubernetes/cmd/${name}`,
    version: kubernetesVersion,
    linkerFlags: ['-s -w', ...flags].join(' '),
  };
}

/** Builds a binary from its Go module and puts it at `path`. Throws, saying what to install, when there is no Go. */
export async function buildBinary(name: BinaryName, path: string, log: Log): Promise<void> {
  await runCommand('go', ['version']).catch((cause: unknown) => {
    throw new Error(
      `${name} is not in the cache, can't be downloaded and can't be built, for there is no Go. ` +
        'Install Go 1.26 or newer (https://go.dev/dl), or set KUBEBUILDER_ASSETS to a folder that holds it.',
      { cause },
    );
  });
  const { module, package: source, version, linkerFlags } = recipe(name);
  const env = { CGO_ENABLED: '0', GOWORK: 'off' };
  const args = ['build', '-mod=readonly', '-buildvcs=false', '-trimpath', '-ldflags', linkerFlags];
  await withProgress(`Building ${name} ${version} from source, which takes minutes`, log, () =>
    installExecutable(path, async (draft) => {
      await runCommand('go', [...args, '-o', draft, source], { cwd: module, env });
    }),
  );
}
