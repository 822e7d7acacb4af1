import { embeddedNameMistake, foldName, secretObjectName } from '../../../api/v1/embedded-name.ts';
import { versionedSecrets } from '../../../api/v1/resources.ts';
import type { VersionedSecretSpec } from '../../../api/v1/versioned-secret.ts';
import { isAlreadyExists, isConflict, KubeError } from '../../../kube/errors.ts';
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
  return `${secret.metadata.namespace}/${foldName(nameOf(secret))}`;
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

/** What is changed of a secret; null takes a field or a label away. */
export interface SecretChange {
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly labels?: Readonly<Record<string, string | null>>;
}

/** The operator writes the object too: so often a change is decided anew. */
const MOST_TRIES = 8;

/**
 * Changes a secret by what it is now; `decide` is asked again where somebody changed it meanwhile, and may give undefined: nothing to do.
 * @throws ManagerError SecretNotFound where it is gone, or another has its name now
 */
export async function changeSecret(
  session: ClientSession,
  secret: SecretObject,
  decide: (now: SecretObject) => SecretChange | undefined,
  signal: AbortSignal,
): Promise<SecretObject> {
  let now = secret;
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const change = decide(now);
    if (change === undefined) return now;
    const changed = await patched(session, now, change, signal);
    if (changed !== undefined) return changed;
    now = await getSecret(session, secret.metadata.name, signal);
    if (now.metadata.uid === secret.metadata.uid) continue;
    throw new ManagerError('SecretNotFound', `secret ${nameOf(secret)} was deleted and created again meanwhile`);
  }
  throw new ManagerError('Throttled', `secret ${nameOf(secret)} is changed by others all the time: try again`);
}

/** Undefined where somebody changed it since it was read. */
async function patched(
  { client }: ClientSession,
  { metadata }: SecretObject,
  { spec, labels }: SecretChange,
  signal: AbortSignal,
): Promise<SecretObject | undefined> {
  const { name, namespace, uid, resourceVersion } = metadata;
  const body = {
    metadata: { name, namespace, uid, resourceVersion, ...(labels !== undefined && { labels }) },
    ...(spec !== undefined && { spec }),
  };
  try {
    return toSecret(await client.mergePatch(versionedSecrets, body, { fieldManager: clientFieldManager, signal }));
  } catch (error) {
    if (isConflict(error)) return undefined;
    throw error instanceof KubeError ? managerErrorOf(error) : error;
  }
}

/** @throws ManagerError InvalidValue: no secret can have this name */
export function checkName(name: string): void {
  const mistake = embeddedNameMistake(name);
  if (mistake !== undefined) throw new ManagerError('InvalidValue', `no secret can have this name: it ${mistake}`);
}
