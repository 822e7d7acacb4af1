import { createInterface } from 'node:readline';
import { Agent, request } from 'undici';
import { z } from 'zod';
import { eventually } from '../operator/eventually.ts';
import { objectSchema } from './server-object.ts';
import type { World } from './world.ts';

export const label = 'keyferry.io/target';
export const mark = (name: string): string => `keyferry.io/${name}`;

const ownerSchema = z.looseObject({ kind: z.string(), name: z.string(), uid: z.string() });
const managedSchema = z.looseObject({ manager: z.string(), operation: z.string() });
const secretSchema = z.looseObject({
  metadata: objectSchema.shape.metadata.extend({
    ownerReferences: z.array(ownerSchema).default([]),
    managedFields: z.array(managedSchema).default([]),
  }),
  type: z.string(),
  immutable: z.boolean().default(false),
  data: z.record(z.string(), z.string()).optional(),
});

/** A Secret with its data as text. */
export interface TargetSeen {
  readonly metadata: z.infer<typeof secretSchema>['metadata'];
  readonly type: string;
  /** Undefined where the Secret has no field `data`. */
  readonly data: Readonly<Record<string, string>> | undefined;
}

function toTarget(raw: unknown): TargetSeen {
  const { metadata, type, data } = secretSchema.parse(raw);
  return { metadata, type, data: data === undefined ? undefined : decoded(data) };
}

function decoded(data: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
}

export function encoded(data: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]));
}

/** @throws where there is none. */
export async function target(world: World, namespace: string, name: string): Promise<TargetSeen> {
  return toTarget(await world.api.get('Secret', { namespace, name }));
}

/** Waits until the Secret holds exactly `data`. */
export function holds(
  world: World,
  namespace: string,
  name: string,
  data: Readonly<Record<string, string>>,
): Promise<TargetSeen> {
  return eventually(`Secret ${namespace}/${name} holds what it should`, async () => {
    const seen = await target(world, namespace, name);
    if (!sameData(seen.data ?? {}, data)) throw new Error(`it holds the keys ${Object.keys(seen.data ?? {}).join()}`);
    return seen;
  });
}

function sameData(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  return Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([key, value]) => b[key] === value);
}

/** A Secret made by somebody else, under the field manager `kubectl-create`. */
export async function foreignSecret(
  world: World,
  namespace: string,
  name: string,
  options: {
    readonly data?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly type?: string;
  } = {},
): Promise<void> {
  const { data = { theirs: 'x' }, annotations = {}, type = 'Opaque' } = options;
  const metadata = { name, namespace, annotations };
  await world.api.create({ kind: 'Secret', metadata, type, data: encoded(data) });
}

/** A watch of one Secret: every state of it that the API server tells, until `stop`. */
export interface SecretWatch {
  readonly states: readonly TargetSeen[];
  stop(): Promise<void>;
}

const eventSchema = z.object({ type: z.string(), object: z.unknown() });

/** Watches one Secret; resolves once its present state was seen. */
export async function watchSecret(world: World, namespace: string, name: string): Promise<SecretWatch> {
  const { url, ca, token } = world.cluster;
  const dispatcher = new Agent({ connect: { ca }, bodyTimeout: 0 });
  const path = `/api/v1/namespaces/${namespace}/secrets?watch=true&fieldSelector=metadata.name%3D${name}`;
  const headers = { authorization: `Bearer ${token}` };
  const { body } = await request(`${url}${path}`, { dispatcher, headers });
  const states: TargetSeen[] = [];
  const lines = createInterface(body);
  lines.on('line', (line) => {
    const { type, object } = eventSchema.parse(JSON.parse(line));
    if (type !== 'DELETED') states.push(toTarget(object));
  });
  // Stopping it ends it with an error.
  lines.on('error', () => undefined);
  await eventually('the watch has begun', () => {
    if (states.length === 0) throw new Error('nothing was seen');
  });
  return { states, stop: () => dispatcher.destroy() };
}
