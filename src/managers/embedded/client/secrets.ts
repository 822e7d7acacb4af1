import { embeddedNameMistake, secretObjectName } from '../../../api/v1/embedded-name.ts';
import { versionedSecrets } from '../../../api/v1/resources.ts';
import type { VersionedSecretSpec } from '../../../api/v1/versioned-secret.ts';
import { isAlreadyExists, KubeError } from '../../../kube/errors.ts';
import { findObject } from '../../../kube/find-object.ts';
import { ManagerError } from '../../errors.ts';
import { nameOf, type SecretObject, toSecret } from './objects.ts';
import { asking, managerErrorOf } from './refusal.ts';
import { type ClientSession, clientFieldManager } from './session.ts';

/** A secret by its name in any spelling of case, or by the name of its object. Undefined where there is none. */
export async function findSecret(
  { client, namespace }: ClientSession,
  name: string,
  signal: AbortSignal,
): Promise<SecretObject | undefined> {
  checkName(name);
  const object = { namespace, name: secretObjectName(name) };
  const found = await asking(() => findObject(client, versionedSecrets, object, { signal }));
  return found === undefined ? undefined : toSecret(found);
}

/** @throws ManagerError SecretNotFound */
export async function getSecret(session: ClientSession, name: string, signal: AbortSignal): Promise<SecretObject> {
  const found = await findSecret(session, name, signal);
  if (found !== undefined) return found;
  throw new ManagerError('SecretNotFound', `there is no secret ${name} in namespace ${session.namespace}`);
}

/** All secrets of a namespace, by name; of all namespaces where it is empty. */
export async function listSecrets(
  { client }: Pick<ClientSession, 'client'>,
  namespace: string,
  signal: AbortSignal,
): Promise<readonly SecretObject[]> {
  const found = await asking(() => client.list(versionedSecrets, { namespace }, { signal }));
  return found.map(toSecret).toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

function keyOf(secret: SecretObject): string {
  return `${secret.metadata.namespace}/${nameOf(secret).toLowerCase()}`;
}

export interface NewSecret {
  readonly name: string;
  readonly spec?: Partial<Omit<VersionedSecretSpec, 'name'>>;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Makes a secret that has no version yet; gives the one there is where somebody was faster. */
export async function createSecret(
  session: ClientSession,
  { name, spec = {}, labels = {} }: NewSecret,
  signal: AbortSignal,
): Promise<{ readonly secret: SecretObject; readonly created: boolean }> {
  checkName(name);
  const { client, namespace } = session;
  const object = secretObjectName(name);
  const body = {
    metadata: { name: object, namespace, ...(Object.keys(labels).length > 0 && { labels }) },
    spec: { ...spec, ...(name !== object && { name }) },
  };
  try {
    const made = await client.create(versionedSecrets, body, { fieldManager: clientFieldManager, signal });
    return { secret: toSecret(made), created: true };
  } catch (error) {
    if (isAlreadyExists(error)) return { secret: await getSecret(session, name, signal), created: false };
    throw error instanceof KubeError ? managerErrorOf(error) : error;
  }
}

/** Changes fields of a secret's spec, and labels; null takes one away. Fails where somebody changed it since it was read. */
export async function patchSecret(
  { client }: Pick<ClientSession, 'client'>,
  { metadata }: SecretObject,
  change: { readonly spec?: object; readonly labels?: Readonly<Record<string, string | null>> },
  signal: AbortSignal,
): Promise<SecretObject> {
  const { name, namespace, uid, resourceVersion } = metadata;
  const { spec, labels } = change;
  const body = {
    metadata: { name, namespace, uid, resourceVersion, ...(labels !== undefined && { labels }) },
    ...(spec !== undefined && { spec }),
  };
  const write = { fieldManager: clientFieldManager, signal };
  return toSecret(await asking(() => client.mergePatch(versionedSecrets, body, write)));
}

/** @throws ManagerError InvalidValue: no secret can have this name */
export function checkName(name: string): void {
  const mistake = embeddedNameMistake(name);
  if (mistake !== undefined) throw new ManagerError('InvalidValue', `no secret can have this name: it ${mistake}`);
}
