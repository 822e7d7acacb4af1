import { z } from 'zod';
import { conditionOf } from '../../../api/v1/conditions.ts';
import { clusterSecretManagers, secretManagers } from '../../../api/v1/resources.ts';
import {
  clusterSecretManagerSpecSchema,
  managerStatusSchema,
  secretManagerSpecSchema,
} from '../../../api/v1/secret-manager.ts';
import type { KubeClient } from '../../../kube/client.ts';
import { findObject } from '../../../kube/find-object.ts';
import { objectMetaSchema, type RawObject } from '../../../kube/object.ts';
import { ManagerError } from '../../errors.ts';
import { defaultLimits } from '../backend.ts';
import { parsed } from './objects.ts';
import { asking } from './refusal.ts';

/** A manager object that publishes a sealing key. */
export interface ManagerName {
  readonly kind: 'SecretManager' | 'ClusterSecretManager';
  readonly name: string;
}

export const defaultManager: ManagerName = { kind: 'ClusterSecretManager', name: 'default' };

/** What values are sealed to. */
export interface SealingTarget {
  readonly publicKey: string;
  /** uid of the cluster. */
  readonly cluster: string;
  /** The most bytes that a value may have. */
  readonly valueBytes: number;
  /** The namespaces that the operator works in; undefined: all, as far as is known. */
  readonly watchNamespaces?: readonly string[] | undefined;
}

const status = managerStatusSchema.prefault({});
const clusterManagerSchema = z.object({ metadata: objectMetaSchema, spec: clusterSecretManagerSpecSchema, status });
const managerSchema = z.object({ metadata: objectMetaSchema, spec: secretManagerSpecSchema, status });

interface ManagerView {
  readonly embedded: boolean;
  readonly aws: boolean;
  readonly valueBytes: number;
  readonly status: z.infer<typeof managerStatusSchema>;
}

/**
 * The key that a manager publishes.
 * @throws ManagerError where there is no such manager, it is of another backend, or the operator has given it no key
 */
export async function findSealingTarget(
  client: Pick<KubeClient, 'get'>,
  manager: ManagerName,
  namespace: string,
  signal: AbortSignal,
): Promise<SealingTarget> {
  const { embedded, aws, valueBytes, status } = await readManager(client, manager, namespace, signal);
  const title = `${manager.kind} ${manager.name}`;
  if (!embedded) throw new ManagerError('ManagerUnavailable', notKept(title, manager.name, aws));
  const { publicKey, cluster, watchNamespaces } = status;
  if (publicKey !== undefined && cluster !== undefined) return { publicKey, cluster, valueBytes, watchNamespaces };
  const said = conditionOf(status, 'Ready');
  const why =
    said === undefined || said.status === 'True'
      ? 'the operator has not looked at it yet: is it running?'
      : said.message;
  throw new ManagerError('ManagerUnavailable', `${title} has no key to seal values to: ${why}`);
}

function notKept(title: string, name: string, aws: boolean): string {
  const says = `${title} does not keep secrets in the cluster`;
  if (!aws) return `${says}: name one with embedded: {}`;
  return `${says}, but in AWS: to put them there, add --manager aws/${name}; to keep them in the cluster, name one with embedded: {}`;
}

async function readManager(
  client: Pick<KubeClient, 'get'>,
  { kind, name }: ManagerName,
  namespace: string,
  signal: AbortSignal,
): Promise<ManagerView> {
  const cluster = kind === 'ClusterSecretManager';
  const [resource, place] = cluster ? [clusterSecretManagers, ''] : [secretManagers, namespace];
  const object = await asking(() => findObject(client, resource, { namespace: place, name }, { signal }));
  if (object === undefined) {
    const where = cluster ? '' : ` in namespace ${namespace}`;
    const fix = 'create one with embedded: {}, or name another by --manager';
    throw new ManagerError('ManagerUnavailable', `there is no ${kind} ${name}${where}: ${fix}`);
  }
  return cluster ? clusterManagerView(object) : managerView(object);
}

function clusterManagerView(object: RawObject): ManagerView {
  const { spec, status } = parsed(clusterManagerSchema, object, 'ClusterSecretManager');
  const { valueBytes } = spec.embedded?.limits ?? defaultLimits;
  return { embedded: spec.embedded !== undefined, aws: spec.aws !== undefined, valueBytes, status };
}

function managerView(object: RawObject): ManagerView {
  const { spec, status } = parsed(managerSchema, object, 'SecretManager');
  return {
    embedded: spec.embedded !== undefined,
    aws: spec.aws !== undefined,
    valueBytes: defaultLimits.valueBytes,
    status,
  };
}
