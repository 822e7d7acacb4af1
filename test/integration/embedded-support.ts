import { z } from 'zod';
import { secretObjectName, versionObjectName } from '../../src/api/v1/embedded-name.ts';
import { labels, sealingKeysSecret } from '../../src/api/v1/names.ts';
import { secretVersions, versionedSecrets } from '../../src/api/v1/resources.ts';
import { type SecretVersionStatus, secretVersionStatusSchema } from '../../src/api/v1/secret-version.ts';
import { type VersionedSecretStatus, versionedSecretStatusSchema } from '../../src/api/v1/versioned-secret.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { isAlreadyExists, isNotFound } from '../../src/kube/errors.ts';
import { namespaces, secrets, selfSubjectReviews } from '../../src/kube/resource.ts';
import type { SealContext } from '../../src/managers/embedded/sealing/context.ts';
import { openSealed, seal } from '../../src/managers/embedded/sealing/envelope.ts';
import { SealingKey } from '../../src/managers/embedded/sealing/sealing-key.ts';
import { SecretValue } from '../../src/managers/secret-value.ts';
import { eventually } from '../operator/eventually.ts';
import { connect, never } from './kube-connection.ts';
import type { World } from './world.ts';

/** A version to put. What is not given fits. */
export interface Put {
  readonly value?: string;
  /** Instead of a value: the version to repeat. */
  readonly from?: number;
  /** What is sealed is sealed for this place, if for another. */
  readonly place?: Partial<SealContext>;
  /** Instead of sealing anew. */
  readonly sealed?: readonly Sealed[];
  /** As a tool would that applies what stands in git: in nobody's name, and never trimmed. */
  readonly git?: boolean;
}

export interface Sealed {
  readonly key: string;
  readonly data: string;
}

/** What became of a version. */
export interface Verdict {
  readonly state: string;
  readonly reason: string;
  readonly message: string;
}

/** Embedded secrets as their putters see them, without the code that puts them for people. */
export interface EmbeddedSupport {
  /** As an administrator. */
  readonly client: KubeClient;
  /** Makes a secret and gives the name of its object. */
  secret(namespace: string, name: string, spec?: object): Promise<string>;
  /** Seals a value for a version of a secret, or for the place that is given. */
  seal(namespace: string, object: string, version: number, put: Put): Promise<Sealed>;
  /** Creates a version and does not wait. @throws KubeError */
  create(namespace: string, object: string, version: number, put?: Put): Promise<void>;
  /** Creates a version and waits until it is accepted or refused. @throws KubeError */
  put(namespace: string, object: string, version: number, put?: Put): Promise<Verdict>;
  /** Puts the next version, as many at once may; gives its number. @throws where it is refused */
  putNext(namespace: string, object: string, value: string): Promise<number>;
  /** Waits until a version is accepted or refused. */
  verdict(namespace: string, object: string, version: number): Promise<Verdict>;
  /** Deletes a version. */
  destroy(namespace: string, object: string, version: number): Promise<void>;
  status(namespace: string, object: string): Promise<VersionedSecretStatus>;
  /** Undefined where there is no such object. */
  versionStatus(namespace: string, object: string, version: number): Promise<SecretVersionStatus | undefined>;
  /** The value of an accepted version, opened by the operator's own key. */
  open(namespace: string, object: string, version: number): Promise<string>;
  close(): Promise<void>;
}

const options = { signal: never };
const writing = { ...options, fieldManager: 'person' };
const userSchema = z.object({ userInfo: z.object({ username: z.string(), groups: z.array(z.string()) }) });
const keysSchema = z.object({ data: z.record(z.string(), z.string()) });
const secretSchema = z.object({ status: versionedSecretStatusSchema.default({}) });
const versionSchema = z.object({
  spec: z.object({ sealed: z.array(z.object({ key: z.string(), data: z.string() })).default([]) }),
  status: secretVersionStatusSchema.default({}),
});
const MAX_BYTES = 524_288;
/** What applies versions that stand in git. */
const TOOL = 'system:serviceaccount:gitops:tool';

export async function openEmbedded(world: World): Promise<EmbeddedSupport> {
  const { client, transport } = connect(world.cluster.kubeconfig);
  const tool = connect(world.cluster.kubeconfig, { impersonate: { user: TOOL } });
  await allowTool(world);
  const { userInfo } = userSchema.parse(await client.review(selfSubjectReviews, {}, options));
  const cluster = (await client.get(namespaces, { namespace: '', name: 'kube-system' }, options)).metadata.uid;
  const placeOf = async (namespace: string, secret: string, version: number): Promise<SealContext> => {
    const raw = await find(() => client.get(versionedSecrets, { namespace, name: secret }, options));
    const spec = z.object({ type: z.string().default('') }).parse(raw?.['spec'] ?? {});
    return { cluster, namespace, secret, uid: raw?.metadata.uid ?? '', version, type: spec.type };
  };
  const sealFor: EmbeddedSupport['seal'] = async (namespace, object, version, { value = 'value', place = {} }) => {
    const { publicKey: key } = await sealingKey(client);
    const here = { ...(await placeOf(namespace, object, version)), ...place };
    return { key, data: await seal(SecretValue.fromString(value), here, key) };
  };
  const create: EmbeddedSupport['create'] = async (namespace, object, version, put = {}) => {
    const { from, git = false } = put;
    const sealed = put.sealed ?? [await sealFor(namespace, object, version, put)];
    const author = { createdBy: userInfo.username, createdByGroups: userInfo.groups };
    const body = {
      metadata: {
        name: versionObjectName(object, version),
        namespace,
        ...(!git && { labels: { [labels.trim]: 'true' } }),
      },
      spec: {
        secret: object,
        version,
        ...(from === undefined ? { sealed } : { from: { version: from } }),
        ...(!git && author),
      },
    };
    await (git ? tool.client : client).create(secretVersions, body, writing);
  };
  const readers = readersOf(client);
  return {
    ...readers,
    ...putters(create, readers),
    client,
    seal: sealFor,
    secret: async (namespace, name, spec = {}) => {
      const object = secretObjectName(name);
      const body = { metadata: { name: object, namespace }, spec: { name, ...spec } };
      await client.create(versionedSecrets, body, writing);
      return object;
    },
    destroy: async (namespace, object, version) => {
      const where = { namespace, name: versionObjectName(object, version) };
      const { metadata } = await client.get(secretVersions, where, options);
      await client.delete(secretVersions, where, { ...options, uid: metadata.uid });
    },
    open: async (namespace, object, version) => {
      const raw = await client.get(secretVersions, { namespace, name: versionObjectName(object, version) }, options);
      const [sealed] = versionSchema.parse(raw).spec.sealed;
      const stored = (await readers.status(namespace, object)).versions?.find((each) => each.version === version);
      const place = { ...(await placeOf(namespace, object, version)), type: stored?.type ?? '' };
      return (await openSealed(sealed?.data ?? '', await sealingKey(client), place, MAX_BYTES)).asString();
    },
    close: async () => {
      await Promise.all([transport.close(), tool.transport.close()]);
    },
  };
}

async function find<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function readersOf(client: KubeClient): Pick<EmbeddedSupport, 'status' | 'versionStatus' | 'verdict'> {
  const status: EmbeddedSupport['status'] = async (namespace, name) =>
    secretSchema.parse(await client.get(versionedSecrets, { namespace, name }, options)).status;
  const versionStatus: EmbeddedSupport['versionStatus'] = async (namespace, object, version) => {
    const name = versionObjectName(object, version);
    const raw = await find(() => client.get(secretVersions, { namespace, name }, options));
    return raw === undefined ? undefined : versionSchema.parse(raw).status;
  };
  return {
    status,
    versionStatus,
    verdict: (namespace, object, version) =>
      eventually(`version ${version} of ${object} is judged`, async () => {
        const told = await versionStatus(namespace, object, version);
        if (told === undefined) {
          const { rejected = [] } = await status(namespace, object);
          const refusal = rejected.find((each) => each.version === version);
          return { state: 'Rejected', reason: refusal?.reason ?? '', message: refusal?.message ?? '' };
        }
        const { state = 'unknown', reason = '', message = '' } = told;
        if (state !== 'Accepted' && state !== 'Rejected') throw new Error(`it is ${state}: ${reason} ${message}`);
        return { state, reason, message };
      }),
  };
}

function putters(
  create: EmbeddedSupport['create'],
  { verdict, status }: Pick<EmbeddedSupport, 'verdict' | 'status'>,
): Pick<EmbeddedSupport, 'create' | 'put' | 'putNext'> {
  return {
    create,
    put: async (namespace, object, version, put) => {
      await create(namespace, object, version, put);
      return verdict(namespace, object, version);
    },
    putNext: async (namespace, object, value) => {
      const { lastVersion = 0 } = await status(namespace, object);
      for (let version = lastVersion + 1; ; version += 1) {
        try {
          await create(namespace, object, version, { value });
        } catch (error) {
          if (isAlreadyExists(error)) continue;
          throw error;
        }
        const { state, reason, message } = await verdict(namespace, object, version);
        if (state !== 'Accepted') throw new Error(`version ${version} is refused: ${reason} ${message}`);
        return version;
      }
    },
  };
}

/** The key in use, as an administrator may read it. */
async function sealingKey(client: KubeClient): Promise<SealingKey> {
  return eventually('there is a sealing key', async () => {
    const raw = await client.get(secrets, { namespace: 'keyferry', name: sealingKeysSecret }, options);
    const { data } = keysSchema.parse(raw);
    const texts = Object.entries(data).filter(([name]) => name.endsWith('.agekey'));
    const key = await SealingKey.parse(Buffer.from(texts.at(-1)?.[1] ?? '', 'base64').toString());
    if (key === undefined) throw new Error('its entry is no key');
    return key;
  });
}

async function allowTool(world: World): Promise<void> {
  await world.kubectl('create', 'clusterrolebinding', 'gitops-tool', '--clusterrole=cluster-admin', `--user=${TOOL}`);
}
