import { type Kubectl, kubectlIn } from './api-objects.ts';
import type { SharedCluster } from './global-setup.ts';

type Json = Readonly<Record<string, unknown>>;

const apiVersion = 'keyferry.io/v1';

/** A key that has the right form and that nobody holds. */
export const someKey = `age1${'q'.repeat(58)}`;
export const someSealed = [{ key: someKey, data: 'AAAA' }];

export function versionedSecret(name: string, spec: unknown = {}, metadata: object = {}): Json {
  return { apiVersion, kind: 'VersionedSecret', metadata: { name, ...metadata }, spec };
}

/** Version 1 and a value where `spec` does not say otherwise. */
export function secretVersion(secret: string, spec: object = {}, metadata: object = {}): Json {
  const whole = { secret, version: 1, sealed: someSealed, ...spec };
  return {
    apiVersion,
    kind: 'SecretVersion',
    metadata: { name: `${secret}-${whole.version}`, ...metadata },
    spec: whole,
  };
}

export function secretReveal(secret: string, requestedBy: string, more: object = {}): Json {
  const spec = { secret, reason: 'to look at it', recipient: someKey, requestedBy, ...more };
  return { apiVersion, kind: 'SecretReveal', metadata: { name: 'look' }, spec };
}

export function secretType(spec: unknown, name = 'api-test'): Json {
  return { apiVersion, kind: 'SecretType', metadata: { name }, spec };
}

/** By verb: the objects' names; an empty list stands for all of the namespace. `use` is about cluster managers, the rest about secrets. */
type Rights = Readonly<Partial<Record<'put' | 'access' | 'destroy' | 'use', readonly string[]>>>;

const everyVerb = ['get', 'list', 'create', 'update', 'patch', 'delete', 'deletecollection'];

/** A user who may do with the objects of a namespace what there is to do, so that admission alone decides, and holds these verbs on secrets. */
export async function userWith(
  cluster: SharedCluster,
  namespace: string,
  user: string,
  rights: Rights,
): Promise<Kubectl> {
  const admin = kubectlIn(cluster, namespace);
  const ours = ['versionedsecrets', 'secretversions', 'secretreveals', 'secretreferences'];
  const verbs = Object.entries(rights).map(([verb, names]) =>
    rule([verb === 'use' ? 'clustersecretmanagers' : 'versionedsecrets'], [verb], names),
  );
  const name = user.replaceAll(':', '-');
  const metadata = { name };
  const kind = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role' };
  await admin(['create', '-f', '-'], { ...kind, metadata, rules: [rule(ours, everyVerb), ...verbs] });
  await admin(['create', 'rolebinding', name, `--role=${name}`, `--user=${user}`]);
  return kubectlIn(cluster, namespace, user);
}

function rule(resources: readonly string[], verbs: readonly string[], names: readonly string[] = []): object {
  return { apiGroups: ['keyferry.io'], resources, verbs, ...(names.length > 0 && { resourceNames: names }) };
}

const plainStatus = ['apply', '--server-side', '--field-manager=keyferry', '--subresource=status', '-f', '-'];

/** Writes a status; only as the operator it is taken. */
export function writeStatus(kubectl: Kubectl, kind: string, name: string, status: object): Promise<string> {
  return kubectl(plainStatus, { apiVersion, kind, metadata: { name }, status });
}

/** Deletes the object only as far as admission. */
export function tryDelete(kubectl: Kubectl, kind: string, name: string): Promise<string> {
  return kubectl(['delete', kind, name, '--dry-run=server']);
}

export function tryPatch(kubectl: Kubectl, kind: string, name: string, patch: object): Promise<string> {
  return kubectl(['patch', kind, name, '--type=merge', '--dry-run=server', `--patch=${JSON.stringify(patch)}`]);
}

export const dryRun = ['create', '--dry-run=server', '-f', '-'];
