import { versionedSecretSpecSchema, versionedSecretStatusSchema } from '../../api/v1/versioned-secret.ts';
import { clusterSecretManagers, secretManagers, versionedSecrets } from '../../api/v1/resources.ts';
import type { KubeClient, ObjectName } from '../../kube/client.ts';
import { isForbidden } from '../../kube/errors.ts';
import { findObject } from '../../kube/find-object.ts';
import type { RawObject } from '../../kube/object.ts';
import { namespaces, type Resource, secrets } from '../../kube/resource.ts';
import { type ManagerView, toManagerView } from '../status/manager.ts';
import { type ReferenceView, targetOf } from '../status/reference.ts';
import type { Fact, Facts, SecretView } from './facts.ts';
import { embeddedWants } from './secrets.ts';
import { managerKeyOf, wantsOf } from './wants.ts';

type Reader = <T>(
  resource: Resource,
  object: ObjectName,
  read: (raw: RawObject) => T | undefined,
  metadataOnly?: boolean,
) => Promise<Fact<T>>;

/** Reads all that is needed to explain a reference, as far as the user may. */
export async function readFacts(client: KubeClient, reference: ReferenceView, signal: AbortSignal): Promise<Facts> {
  const look = reader(client, signal);
  const { namespace } = reference.metadata;
  const managers = await readManagers(look, reference);
  const [secretFacts, labels, target] = await Promise.all([
    readSecrets(look, reference, managers),
    look(namespaces, { namespace: '', name: namespace }, ({ metadata }) => metadata.labels),
    look(secrets, { namespace, name: targetOf(reference) }, ({ metadata }) => metadata, true),
  ]);
  return { reference, managers, secrets: secretFacts, labels, target };
}

function reader(client: KubeClient, signal: AbortSignal): Reader {
  return async (resource, object, read, metadataOnly = false) => {
    try {
      const raw = await findObject(client, resource, object, { signal, metadataOnly });
      if (raw === undefined) return { state: 'missing' };
      const value = read(raw);
      return value === undefined ? { state: 'hidden', why: 'it is of another release' } : { state: 'found', value };
    } catch (error) {
      if (!isForbidden(error)) throw error;
      return { state: 'hidden', why: `you may not read this ${resource.kind}` };
    }
  };
}

async function readManagers(look: Reader, { spec, metadata }: ReferenceView): Promise<Map<string, Fact<ManagerView>>> {
  const refs = new Map(wantsOf(spec).map(({ manager }) => [managerKeyOf(manager), manager]));
  const read = [...refs].map(async ([key, { kind, name }]) => {
    const [resource, namespace] =
      kind === 'SecretManager' ? [secretManagers, metadata.namespace] : [clusterSecretManagers, ''];
    return [key, await look(resource, { namespace, name }, (raw) => toManagerView(kind, raw))] as const;
  });
  return new Map(await Promise.all(read));
}

async function readSecrets(
  look: Reader,
  reference: ReferenceView,
  managers: Facts['managers'],
): Promise<Map<string, Fact<SecretView>>> {
  const keys = [...new Set(embeddedWants({ reference, managers }).map(({ key }) => key))];
  const read = keys.map(async (key) => {
    const slash = key.indexOf('/');
    const object = { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
    return [key, await look(versionedSecrets, object, toSecretView)] as const;
  });
  return new Map(await Promise.all(read));
}

function toSecretView(raw: RawObject): SecretView | undefined {
  const spec = versionedSecretSpecSchema.safeParse(raw['spec']).data;
  const status = versionedSecretStatusSchema.safeParse(raw['status'] ?? {}).data;
  return spec === undefined || status === undefined ? undefined : { metadata: raw.metadata, spec, status };
}
