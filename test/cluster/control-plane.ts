import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Binaries, ensureBinaries } from './binaries.ts';
import {
  type AuditLevel,
  apiServerArgs,
  auditLog,
  certDir,
  controllerManagerArgs,
  etcdArgs,
  type Ports,
  schedulerArgs,
} from './components.ts';
import { type Credentials, type Identity, writeCredentials } from './credentials.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { type KubectlTarget, runKubectl } from './kubectl.ts';
import { freePorts } from './ports.ts';
import { ProcessGroup } from './process-group.ts';
import { type Log, logToStderr } from './progress.ts';

export interface ControlPlaneOptions {
  /** An existing folder that gets everything the control plane writes. By default a new one, removed by `stop`. */
  readonly dir?: string;
  /** Without it, nothing is garbage collected, no namespace goes away and no Deployment makes pods. On by default. */
  readonly controllerManager?: boolean;
  /** Off by default: there are no nodes to put a pod on. */
  readonly scheduler?: boolean;
  /**
   * Paths of YAML files that are applied before the controller-manager starts. Its garbage collector looks for new resource
   * types only every 30 s: CRDs whose objects own something belong here.
   */
  readonly manifests?: readonly string[];
  /** Makes the API server write every request to `auditLog`, with this much of it. Off by default. */
  readonly audit?: AuditLevel;
  /** The address of this machine that the API server listens on. By default 127.0.0.1, which pods can't reach. */
  readonly address?: string;
  /** Added to the API server's command line; a repeated flag overrides. */
  readonly apiServerArgs?: readonly string[];
  /** Gets a line for whatever takes long, and when a part ends by itself. Standard error by default. */
  readonly log?: Log;
}

export interface ControlPlane {
  readonly dir: string;
  /** Base URL of the API server. */
  readonly url: string;
  /** PEM of the authority that signed the API server's certificate. */
  readonly ca: string;
  /** Bearer token of `admin`, who is in system:masters and so may impersonate everyone. */
  readonly token: string;
  /** Path of a kubeconfig for `admin`. */
  readonly kubeconfig: string;
  /** Writes a kubeconfig for somebody else, and gives its path. */
  readonly kubeconfigFor: (user: Identity) => Promise<string>;
  /** Path of the kubectl binary. */
  readonly kubectl: string;
  readonly etcdUrl: string;
  readonly ports: Ports;
  /** Path of the audit log, written when `audit` is set. One JSON object a line. */
  readonly auditLog: string;
  /** Process ids by component. */
  pids(): Readonly<Record<string, number>>;
  /** Kills the API server: connections break without a goodbye. `graceful` sends SIGTERM, and kills it after ten seconds. */
  stopApiServer(options?: { readonly graceful?: boolean }): Promise<void>;
  /** Starts the API server again, on the same port with the same data and certificate, and waits until it is ready. */
  startApiServer(): Promise<void>;
  /** Both of the above. */
  restartApiServer(options?: { readonly graceful?: boolean }): Promise<void>;
  /** Kills everything and removes the folder, unless it was given. */
  stop(): Promise<void>;
}

/** Starts a real control plane on this machine and waits until it is ready. Any number can run at once. */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const log = options.log ?? logToStderr;
  const binaries = await ensureBinaries({ log });
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'keyferry-cluster-')));
  const group = new ProcessGroup({ dir, temporary: options.dir === undefined, log });
  try {
    return await startParts({ dir, group, binaries, options });
  } catch (error) {
    await group.stopAll();
    throw error;
  }
}

interface Parts {
  readonly dir: string;
  readonly group: ProcessGroup;
  readonly binaries: Binaries;
  readonly options: ControlPlaneOptions;
}

async function startParts(parts: Parts): Promise<ControlPlane> {
  const { dir, group, binaries, options } = parts;
  const ports = await choosePorts();
  const credentials = await writeCredentials(dir);
  await startEtcd(parts, ports);
  await mkdir(certDir(dir), { recursive: true });
  const address = options.address ?? '127.0.0.1';
  const args = await apiServerArgs(dir, ports, credentials, {
    address,
    audit: options.audit,
    extraArgs: options.apiServerArgs ?? [],
  });
  const startApiServer = async (): Promise<string> => {
    await group.start('kube-apiserver', binaries['kube-apiserver'], args);
    return group.ready('kube-apiserver', () => readyWithCa(parts, ports, credentials));
  };
  const stopApiServer: ControlPlane['stopApiServer'] = (how) =>
    group.stop('kube-apiserver', how?.graceful === true ? 'SIGTERM' : 'SIGKILL');

  const ca = await startApiServer();
  const access = { dir, url: `https://${address}:${ports.apiServer}`, ca, credentials };
  const kubeconfig = await kubeconfigFor('admin', access);
  await applyManifests({ kubectl: binaries.kubectl, kubeconfig }, options.manifests ?? []);
  await startControllers(parts, access);
  return {
    dir,
    url: access.url,
    ca,
    token: credentials.tokens.admin,
    kubeconfig,
    kubeconfigFor: (user) => kubeconfigFor(user, access),
    kubectl: binaries.kubectl,
    etcdUrl: `http://127.0.0.1:${ports.etcd}`,
    ports,
    auditLog: auditLog(dir),
    pids: () => group.pids(),
    stopApiServer,
    startApiServer: async () => {
      await startApiServer();
    },
    restartApiServer: async (how) => {
      await stopApiServer(how);
      await startApiServer();
    },
    stop: () => group.stopAll(),
  };
}

async function choosePorts(): Promise<Ports> {
  const [etcd = 0, etcdPeer = 0, apiServer = 0] = await freePorts(3);
  return { etcd, etcdPeer, apiServer };
}

async function startEtcd({ dir, group, binaries }: Parts, ports: Ports): Promise<void> {
  await group.start('etcd', binaries.etcd, etcdArgs(dir, ports));
  await group.ready('etcd', async () => {
    const answer = await fetch(`http://127.0.0.1:${ports.etcd}/readyz`);
    await answer.body?.cancel();
    return answer.ok ? true : undefined;
  });
}

/** Everything that a client of the API server needs. */
interface Access {
  readonly dir: string;
  readonly url: string;
  readonly ca: string;
  readonly credentials: Credentials;
}

async function startControllers({ dir, group, binaries, options }: Parts, access: Access): Promise<void> {
  if (options.controllerManager ?? true) {
    const kubeconfig = await kubeconfigFor('system:kube-controller-manager', access);
    const caFile = join(dir, 'ca.crt');
    await writeFile(caFile, access.ca);
    const args = controllerManagerArgs(kubeconfig, caFile, access.credentials);
    await group.start('kube-controller-manager', binaries['kube-controller-manager'], args);
  }
  if (options.scheduler ?? false) {
    const kubeconfig = await kubeconfigFor('system:kube-scheduler', access);
    await group.start('kube-scheduler', binaries['kube-scheduler'], schedulerArgs(kubeconfig));
  }
}

async function kubeconfigFor(user: Identity, { dir, url, ca, credentials }: Access): Promise<string> {
  const path = join(
    dir,
    user === 'admin' ? 'kubeconfig' : `${user.replace('system:', '').replaceAll(':', '-')}.kubeconfig`,
  );
  await writeKubeconfig(path, { url, ca, user, token: credentials.tokens[user] });
  return path;
}

async function applyManifests(target: KubectlTarget, manifests: readonly string[]): Promise<void> {
  if (manifests.length > 0) {
    const files = manifests.map((path) => `--filename=${path}`);
    await runKubectl(target, ['apply', '--server-side', ...files]);
  }
}

/** Gives the certificate authority that the API server made for itself, once the server says that it is ready. */
async function readyWithCa(
  { dir, options }: Parts,
  ports: Ports,
  credentials: Credentials,
): Promise<string | undefined> {
  const host = options.address ?? '127.0.0.1';
  const chain = await readFile(join(certDir(dir), 'apiserver.crt'), 'utf8');
  const ca = chain.slice(chain.lastIndexOf('-----BEGIN CERTIFICATE-----'));
  return (await isReady({ host, port: ports.apiServer, ca }, credentials.tokens.admin)) ? ca : undefined;
}

interface Server {
  readonly host: string;
  readonly port: number;
  readonly ca: string;
}

function isReady(server: Server, token: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` };
    const request = get({ ...server, path: '/readyz', headers, timeout: 5_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once('error', reject);
    request.once('timeout', () => request.destroy(new Error('The API server did not answer within 5 s.')));
  });
}
