import { join } from 'node:path';
import { buildBinary } from './build.ts';
import { cacheDir, type Environment, isExecutable } from './cache.ts';
import { downloadBinary, ReleaseUnavailable, releaseOf, SourceOutOfReach } from './download.ts';
import { type Log, logToStderr } from './progress.ts';
import {
  type BinaryName,
  type ControlPlaneBinary,
  corednsVersion,
  etcdVersion,
  helmVersion,
  kubernetesVersion,
} from './versions.ts';

export interface BinaryOptions {
  /** Standard error by default. */
  readonly log?: Log;
  /** The environment of this process by default. */
  readonly env?: Environment;
  /** The last resort: builds a binary from source and puts it at a path. */
  readonly build?: (name: BinaryName, path: string, log: Log) => Promise<void>;
}

/** Path of each binary of a control plane. */
export type Binaries = Readonly<Record<ControlPlaneBinary, string>>;

/**
 * Finds each binary of a control plane: in the folder KUBEBUILDER_ASSETS, in the cache, as a published release (which is then
 * in the cache), or built from source (likewise).
 */
export async function ensureBinaries(options: BinaryOptions = {}): Promise<Binaries> {
  const finder = finderOf(options);
  return {
    etcd: await findBinary('etcd', finder),
    kubectl: await findBinary('kubectl', finder),
    'kube-apiserver': await findBinary('kube-apiserver', finder),
    'kube-controller-manager': await findBinary('kube-controller-manager', finder),
    'kube-scheduler': await findBinary('kube-scheduler', finder),
  };
}

/** Finds one binary in the same way, and gives its path. */
export async function ensureBinary(name: BinaryName, options: BinaryOptions = {}): Promise<string> {
  return findBinary(name, finderOf(options));
}

function finderOf(options: BinaryOptions): Finder {
  return {
    log: options.log ?? logToStderr,
    env: options.env ?? process.env,
    build: options.build ?? buildBinary,
    outOfReach: new Set<string>(),
  };
}

interface Finder extends Required<BinaryOptions> {
  /** Publishers that did not answer: each is waited for once. */
  readonly outOfReach: Set<string>;
}

async function findBinary(name: BinaryName, finder: Finder): Promise<string> {
  const { env, log } = finder;
  const cached = join(cacheDir(env), 'assets', cacheFolder(name), name);
  const assets = env['KUBEBUILDER_ASSETS'] ?? '';
  const candidates = assets === '' ? [cached] : [join(assets, name), cached];
  for (const candidate of candidates) {
    if (await isExecutable(candidate)) {
      return candidate;
    }
  }
  if (!(await download(name, cached, finder))) {
    await finder.build(name, cached, log);
  }
  return cached;
}

function cacheFolder(name: BinaryName): string {
  if (name === 'etcd') return `etcd-${etcdVersion}`;
  if (name === 'coredns') return `coredns-${corednsVersion}`;
  return name === 'helm' ? `helm-${helmVersion}` : `kubernetes-${kubernetesVersion}`;
}

async function download(name: BinaryName, path: string, { env, log, outOfReach }: Finder): Promise<boolean> {
  const release = releaseOf(name, env);
  if (outOfReach.has(release.base)) {
    return false;
  }
  try {
    await downloadBinary(release, path, log);
    return true;
  } catch (error) {
    if (!(error instanceof ReleaseUnavailable)) {
      throw error;
    }
    log(`No download of ${name}: ${error.message}`);
    if (error instanceof SourceOutOfReach) {
      outOfReach.add(release.base);
    }
    return false;
  }
}
