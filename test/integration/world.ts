import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inject } from 'vitest';
import { z } from 'zod';
import { type Condition, conditionSchema } from '../../src/api/v1/conditions.ts';
import { type SecretReferenceStatus, secretReferenceStatusSchema } from '../../src/api/v1/secret-reference.ts';
import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from '../cluster/control-plane.ts';
import { runKubectl } from '../cluster/kubectl.ts';
import { type Moto, startMoto } from '../cluster/moto.ts';
import { type AwsServer, forwardTo, startAwsServer } from '../contract/aws-server.ts';
import { eventually } from '../operator/eventually.ts';
import { installationFiles, installKeyferry, operatorIdentity } from '../operator/install.ts';
import { type OperatorProcess, startOperator, whenReady } from '../operator/operator-process.ts';
import { type Api, type ApiObject, createApi, type KubeBody } from './world-api.ts';
import { type AwsSecrets, awsRegion, createAwsSecrets } from './world-aws.ts';
import { scanThenStop } from './world-scan.ts';

export interface WorldOptions {
  /** Added to the operator's flags. */
  readonly flags?: readonly string[];
  /** A moto of its own, which the test may stop and reset, instead of the one that all files share. */
  readonly ownMoto?: boolean;
  /** The operator is not started: the test does. */
  readonly operator?: false;
  /** Given to the control plane. */
  readonly cluster?: Pick<ControlPlaneOptions, 'apiServerArgs' | 'audit' | 'controllerManager'>;
}

/** A cluster with Keyferry in it and a backend behind it, for one file of tests. */
export interface World {
  readonly cluster: ControlPlane;
  /** The API server as an administrator sees it. */
  readonly api: Api;
  readonly aws: AwsSecrets;
  /** Set only with `ownMoto`. */
  readonly moto: Moto | undefined;
  /** What stands between the operator and the backend: counts calls, and answers as a test says. `healBackend` undoes that. */
  readonly backend: AwsServer;
  healBackend(): void;
  /** Where the backend itself is, past what stands in between. */
  readonly motoUrl: string;
  /** The operator that was started last. @throws where none was. */
  operator(): OperatorProcess;
  /** Starts an operator (another one, or the next) and waits until it is ready. By default with `operatorKubeconfig`. */
  startOperator(options?: {
    readonly flags?: readonly string[];
    readonly kubeconfig?: string;
  }): Promise<OperatorProcess>;
  /** Path of the kubeconfig that acts as the operator. */
  readonly operatorKubeconfig: string;
  kubectl(...args: readonly string[]): Promise<string>;
  /** Server-side apply by a person, in the given order. */
  apply(...objects: readonly KubeBody[]): Promise<void>;
  /** Makes a fresh namespace and gives its name. */
  namespace(options?: { readonly name?: string; readonly labels?: Readonly<Record<string, string>> }): Promise<string>;
  /** Applies a SecretReference. */
  reference(namespace: string, name: string, spec: KubeBody): Promise<ApiObject>;
  /** Applies a ClusterSecretManager over the backend. Without options: `default`, polled each second, open to everyone. */
  manager(options?: ManagerOptions): Promise<void>;
  /** The decoded data of a Secret. @throws where there is none. */
  secretData(namespace: string, name: string): Promise<Readonly<Record<string, string>>>;
  /** The condition Ready of a reference, once it speaks of the present spec. @throws before. */
  ready(namespace: string, name: string): Promise<Condition>;
  /** Waits for a reason of Ready and gives the condition. */
  waitReady(namespace: string, name: string, reason: string, deadline?: number): Promise<Condition>;
  status(namespace: string, name: string): Promise<SecretReferenceStatus>;
  /** A value that is nowhere else: `scanForCanaries` looks for it. */
  canary(): string;
  /** The canaries given out so far. */
  canaries(): readonly string[];
  /** What the operator wrote through the API server so far, leases apart, oldest first. */
  operatorWrites(): Promise<readonly AuditEntry[]>;
  /** Everything that all operators of this world have logged. */
  logs(): Promise<string>;
  stop(): Promise<void>;
}

export interface ManagerOptions {
  readonly name?: string;
  readonly pollInterval?: string;
  readonly access?: readonly KubeBody[];
  readonly aws?: KubeBody;
  /** Added to the spec. */
  readonly spec?: KubeBody;
}

const auditSchema = z.object({
  verb: z.string(),
  requestURI: z.string(),
  user: z.object({ username: z.string() }),
  objectRef: z
    .object({
      resource: z.string().optional(),
      namespace: z.string().optional(),
      name: z.string().optional(),
      subresource: z.string().optional(),
    })
    .default({}),
  responseStatus: z.object({ code: z.int() }).optional(),
});
export type AuditEntry = z.infer<typeof auditSchema>;

export const operatorUser = `system:serviceaccount:${operatorIdentity.namespace}:${operatorIdentity.serviceAccount}`;
const everyone = [{ namespaces: { names: ['*'] }, secrets: ['**'] }];

/** Starts a control plane, installs Keyferry and starts the operator. Every file has its own, so that nothing but its own tests moves in it. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const manifests = installationFiles().filter((file) => file.includes('/crds/'));
  const cluster = await startControlPlane({ audit: 'Metadata', ...options.cluster, manifests });
  const cleanup: (() => Promise<unknown>)[] = [() => cluster.stop()];
  const stop = async (): Promise<void> => {
    for (const step of cleanup.toReversed()) await step();
  };
  try {
    const moto = options.ownMoto === true ? await startMoto() : undefined;
    if (moto !== undefined) cleanup.push(() => moto.stop());
    const motoUrl = moto?.url ?? inject('moto').url;
    const backend = await startAwsServer(forwardTo(motoUrl));
    cleanup.push(() => backend.close());
    const operatorKubeconfig = join(cluster.dir, 'operator.kubeconfig');
    await installKeyferry(cluster, operatorKubeconfig);
    const api = createApi(cluster);
    cleanup.push(() => api.close());
    const world = buildWorld({ options, cluster, api, moto, motoUrl, backend, operatorKubeconfig, cleanup, stop });
    if (options.operator !== false) await world.startOperator();
    return world;
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Parts {
  readonly options: WorldOptions;
  readonly cluster: ControlPlane;
  readonly api: Api;
  readonly moto: Moto | undefined;
  readonly motoUrl: string;
  readonly backend: AwsServer;
  readonly operatorKubeconfig: string;
  readonly cleanup: (() => Promise<unknown>)[];
  readonly stop: () => Promise<void>;
}

function buildWorld(parts: Parts): World {
  const { cluster, api, backend, moto, motoUrl, operatorKubeconfig } = parts;
  const planted: string[] = [];
  const apply: World['apply'] = async (...objects) => {
    for (const object of objects) await api.apply(object);
  };
  const world: World = {
    ...operatorsOf(parts),
    ...readersOf(api),
    cluster,
    api,
    moto,
    motoUrl,
    backend,
    operatorKubeconfig,
    aws: createAwsSecrets(motoUrl),
    healBackend: () => backend.handle(forwardTo(motoUrl)),
    kubectl: (...args) => runKubectl(cluster, args),
    apply,
    namespace: async ({ name = `ns-${randomBytes(4).toString('hex')}`, labels = {} } = {}) => {
      await apply({ kind: 'Namespace', metadata: { name, labels } });
      return name;
    },
    reference: (namespace, name, spec) => api.apply({ kind: 'SecretReference', metadata: { name, namespace }, spec }),
    manager: (manager = {}) => apply(managerObject(backend.url, manager)),
    canary: () => {
      const value = newCanary();
      planted.push(value);
      return value;
    },
    canaries: () => planted,
    operatorWrites: async () => {
      const entries = await readAudit(cluster);
      return entries.filter(isOperatorWrite);
    },
    stop: () => scanThenStop(world, parts.stop),
  };
  return world;
}

function operatorsOf(parts: Parts): Pick<World, 'operator' | 'startOperator' | 'logs'> {
  const { options, cleanup, backend, operatorKubeconfig } = parts;
  const started: OperatorProcess[] = [];
  const endedLogs: string[] = [];
  const env = {
    AWS_ACCESS_KEY_ID: 'operator',
    AWS_SECRET_ACCESS_KEY: 'operator',
    AWS_REGION: awsRegion,
    AWS_ENDPOINT_URL: backend.url,
  };
  return {
    operator: () => {
      const last = started.at(-1);
      if (last === undefined) throw new Error('no operator was started yet');
      return last;
    },
    startOperator: async ({ flags = [], kubeconfig = operatorKubeconfig } = {}) => {
      const all = ['--log-level=debug', ...(options.flags ?? []), ...flags];
      const operator = keepLog(await startOperator({ kubeconfig, flags: all, env }), endedLogs);
      started.push(operator);
      cleanup.push(() => operator.stop());
      await whenReady(operator);
      return operator;
    },
    logs: async () => {
      const running = await Promise.all(started.map((operator) => operator.log().catch(() => '')));
      return [...endedLogs, ...running].join('\n');
    },
  };
}

/** Stopping an operator removes its files: its log is kept in `logs`. */
function keepLog(operator: OperatorProcess, logs: string[]): OperatorProcess {
  return {
    ...operator,
    stop: async (signal) => {
      logs.push(await operator.log().catch(() => ''));
      await operator.stop(signal);
    },
  };
}

const referenceSchema = z.object({
  metadata: z.object({ generation: z.int() }),
  status: secretReferenceStatusSchema.default({}),
});
const secretSchema = z.object({ data: z.record(z.string(), z.string()).default({}) });

function readersOf(api: Api): Pick<World, 'secretData' | 'ready' | 'waitReady' | 'status'> {
  const ready: World['ready'] = async (namespace, name) => {
    const { metadata, status } = referenceSchema.parse(await api.get('SecretReference', { namespace, name }));
    const found = status.conditions?.find((condition) => condition.type === 'Ready');
    if (found === undefined || found.observedGeneration !== metadata.generation) {
      throw new Error(`nothing was said yet of generation ${metadata.generation}`);
    }
    return conditionSchema.parse(found);
  };
  return {
    ready,
    waitReady: (namespace, name, reason, deadline = 30_000) =>
      eventually(
        `${namespace}/${name} is ${reason}`,
        async () => {
          const condition = await ready(namespace, name);
          if (condition.reason !== reason) throw new Error(`it is ${condition.reason}: ${condition.message}`);
          return condition;
        },
        { deadline },
      ),
    status: async (namespace, name) =>
      referenceSchema.parse(await api.get('SecretReference', { namespace, name })).status,
    secretData: async (namespace, name) => {
      const { data } = secretSchema.parse(await api.get('Secret', { namespace, name }));
      return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, decode(value)]));
    },
  };
}

function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString();
}

function managerObject(endpoint: string, options: ManagerOptions): KubeBody {
  const { name = 'default', pollInterval = '1s', access = everyone, aws = {}, spec = {} } = options;
  return {
    kind: 'ClusterSecretManager',
    metadata: { name },
    spec: { aws: { region: awsRegion, endpoint, ...aws }, pollInterval, access, ...spec },
  };
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** 24 characters, all of them random: none of its fragments is a word. */
export function newCanary(): string {
  return Array.from(randomBytes(24), (byte) => alphabet[byte % alphabet.length]).join('');
}

export async function readAudit(cluster: Pick<ControlPlane, 'auditLog'>): Promise<readonly AuditEntry[]> {
  const text = await readFile(cluster.auditLog, 'utf8');
  // The last line may be half written.
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return lines.filter((line) => line !== '').map((line) => auditSchema.parse(JSON.parse(line)));
}

/** What is stored: neither dry runs nor reviews are. */
function isOperatorWrite({ user, verb, objectRef, requestURI }: AuditEntry): boolean {
  const writes = ['create', 'update', 'patch', 'delete', 'deletecollection'].includes(verb);
  const stored = !requestURI.includes('dryRun=') && objectRef.resource !== 'subjectaccessreviews';
  return user.username === operatorUser && writes && stored && objectRef.resource !== 'leases';
}
