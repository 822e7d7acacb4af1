import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { request } from 'undici';
import { z } from 'zod';
import { sealingKeysSecret } from '../../src/api/v1/names.ts';
import { secretReveals, secretVersions, versionedSecrets } from '../../src/api/v1/resources.ts';
import { type SecretRevealStatus, secretRevealStatusSchema } from '../../src/api/v1/secret-reveal.ts';
import { rejectionSchema } from '../../src/api/v1/versioned-secret.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { isNotFound } from '../../src/kube/errors.ts';
import { namespaces, secrets, selfSubjectReviews } from '../../src/kube/resource.ts';
import { seal } from '../../src/managers/embedded/sealing/envelope.ts';
import { SealingKey } from '../../src/managers/embedded/sealing/sealing-key.ts';
import { SecretValue } from '../../src/managers/secret-value.ts';
import type { Writing } from '../operator/canaries.ts';
import { eventually } from '../operator/eventually.ts';
import { connect, never } from './kube-connection.ts';
import type { World } from './world.ts';

const options = { signal: never };
const writing = { ...options, fieldManager: 'person' };
const versionSchema = z.object({ status: z.object({ state: z.string().optional(), message: z.string().optional() }) });
const userSchema = z.object({ userInfo: z.object({ username: z.string(), groups: z.array(z.string()) }) });
const secretSchema = z.object({ status: z.object({ rejected: z.array(rejectionSchema).default([]) }) });
const keysSchema = z.object({ data: z.record(z.string(), z.string()) });

/** A person at the cluster. */
interface Person {
  readonly name: string;
  readonly groups: readonly string[];
  readonly client: KubeClient;
}

/** One who asks for values: with the right to ask, and to access the secrets that are named. */
export interface Asker extends Person {
  /** Asks for a value; gives the name of the reveal. */
  ask(secret: string, recipient: string, more?: object): Promise<string>;
  /** What became of it. @throws while nothing did, and where it is gone. */
  status(reveal: string): Promise<SecretRevealStatus>;
  settled(reveal: string): Promise<SecretRevealStatus>;
}

export interface Reveals {
  readonly namespace: string;
  readonly admin: Person;
  /** Makes a secret whose only version has this value. */
  secret(name: string, value: string, spec?: object): Promise<void>;
  asker(name: string, access: readonly string[]): Promise<Asker>;
  isGone(reveal: string): Promise<boolean>;
  close(): Promise<void>;
}

export async function openReveals(world: World): Promise<Reveals> {
  const namespace = await world.namespace();
  const open = [connect(world.cluster.kubeconfig)];
  const { client } = open[0] ?? connect(world.cluster.kubeconfig);
  const { userInfo } = userSchema.parse(await client.review(selfSubjectReviews, {}, options));
  const admin = { name: userInfo.username, groups: userInfo.groups, client };
  return {
    namespace,
    admin,
    secret: (secret, value, spec = {}) => putFirst(admin, namespace, secret, value, spec),
    asker: async (user, access) => {
      const connection = connect(world.cluster.kubeconfig, { impersonate: { user } });
      open.push(connection);
      await allow(world, namespace, user, access);
      return askerOf({ name: user, groups: ['system:authenticated'], client: connection.client }, namespace);
    },
    isGone: async (reveal) =>
      client.get(secretReveals, { namespace, name: reveal }, options).then(
        () => false,
        (error: unknown) => {
          if (isNotFound(error)) return true;
          throw error;
        },
      ),
    close: async () => {
      await Promise.all(open.map(({ transport }) => transport.close()));
    },
  };
}

async function putFirst(
  { client, name: createdBy, groups }: Person,
  namespace: string,
  secret: string,
  value: string,
  spec: object,
): Promise<void> {
  const made = await client.create(versionedSecrets, { metadata: { name: secret, namespace }, spec }, writing);
  const cluster = (await client.get(namespaces, { namespace: '', name: 'kube-system' }, options)).metadata.uid;
  const key = await eventually('there is a sealing key', () => publicKey(client));
  const place = { cluster, namespace, secret, uid: made.metadata.uid, version: 1, type: '' };
  const data = await seal(SecretValue.fromString(value), place, key);
  const name = `${secret}-1`;
  const version = { secret, version: 1, sealed: [{ key, data }], createdBy, createdByGroups: groups };
  await client.create(secretVersions, { metadata: { name, namespace }, spec: version }, writing);
  await eventually(`version 1 of ${secret} is accepted`, async () => {
    const { rejected } = secretSchema.parse(
      await client.get(versionedSecrets, { namespace, name: secret }, options),
    ).status;
    if (rejected.length > 0) throw new Error(`it was refused: ${rejected.map(({ message }) => message).join(', ')}`);
    const { status } = versionSchema.parse(await client.get(secretVersions, { namespace, name }, options));
    if (status.state !== 'Accepted') throw new Error(`it is ${status.state}: ${status.message}`);
  });
}

/** From the key itself, as an administrator may read it. */
async function publicKey(client: KubeClient): Promise<string> {
  const { data } = keysSchema.parse(
    await client.get(secrets, { namespace: 'keyferry', name: sealingKeysSecret }, options),
  );
  const [text = ''] = Object.values(data);
  const key = await SealingKey.parse(Buffer.from(text, 'base64').toString());
  if (key === undefined) throw new Error('there is no sealing key yet');
  return key.publicKey;
}

async function allow(world: World, namespace: string, user: string, access: readonly string[]): Promise<void> {
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: user };
  const group = ['keyferry.io'];
  const rules = [
    { apiGroups: group, resources: ['secretreveals'], verbs: ['create', 'get'] },
    ...(access.length === 0
      ? []
      : [{ apiGroups: group, resources: ['versionedsecrets'], resourceNames: access, verbs: ['access'] }]),
  ];
  const items = [
    { kind: 'Role', metadata: { name: user, namespace }, rules },
    { kind: 'RoleBinding', metadata: { name: user, namespace }, roleRef, subjects: [{ kind: 'User', name: user }] },
  ];
  const connection = connect(world.cluster.kubeconfig);
  try {
    for (const { kind, ...body } of items) {
      const plural = kind === 'Role' ? 'roles' : 'rolebindings';
      const resource = { group: 'rbac.authorization.k8s.io', version: 'v1', plural, kind, namespaced: true };
      await connection.client.create(resource, body, writing);
    }
  } finally {
    await connection.transport.close();
  }
}

function askerOf(person: Person, namespace: string): Asker {
  const { client, name: requestedBy, groups: requestedByGroups } = person;
  const status: Asker['status'] = async (name) => {
    const found = await client.get(secretReveals, { namespace, name }, options);
    const parsed = secretRevealStatusSchema.parse(found['status'] ?? {});
    if (parsed.state === undefined) throw new Error('nothing became of it yet');
    return parsed;
  };
  return {
    ...person,
    status,
    settled: (name) => eventually(`something became of ${name}`, () => status(name)),
    ask: async (secret, recipient, more = {}) => {
      const name = `ask-${randomUUID().slice(0, 8)}`;
      const spec = { secret, recipient, reason: 'an outage', requestedBy, requestedByGroups, ...more };
      await client.create(secretReveals, { metadata: { name, namespace }, spec }, writing);
      return name;
    },
  };
}

const rangeSchema = z.object({ kvs: z.array(z.object({ key: z.string(), value: z.string() })) });

/** Everything in etcd as it is stored, native Secrets apart. */
export async function etcdContents(etcdUrl: string): Promise<readonly Writing[]> {
  const zero = Buffer.from('\0').toString('base64');
  const body = JSON.stringify({ key: zero, range_end: zero });
  const answer = await request(`${etcdUrl}/v3/kv/range`, { method: 'POST', body });
  const { kvs } = rangeSchema.parse(await answer.body.json());
  const stored = kvs.map(({ key, value }) => ({ where: decode(key), text: decode(value) }));
  return stored.filter(({ where }) => !where.startsWith('/registry/secrets/'));
}

function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString('latin1');
}

const recordSchema = z.looseObject({ stream: z.literal('audit'), action: z.string(), secret: z.string() });

/** The operator's own audit log: records of one secret. */
export async function recordsOf(file: string, secret: string): Promise<readonly z.infer<typeof recordSchema>[]> {
  const text = await readFile(file, 'utf8');
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  const records = lines.filter((line) => line !== '').map((line) => recordSchema.parse(JSON.parse(line)));
  return records.filter((record) => record.secret === secret && record.action === 'reveal');
}
