import { describe, expect, it } from 'vitest';
import type { ObjectName } from '../../../kube/client.ts';
import { KubeError } from '../../../kube/errors.ts';
import { subjectOf } from '../../../kube/path.ts';
import type { Resource } from '../../../kube/resource.ts';
import {
  clusterSecretManagers,
  secretReferences,
  secretReveals,
  secretVersions,
  versionedSecrets,
} from '../../../api/v1/resources.ts';
import { asking, refusalText } from './refusal.ts';

interface Forbidden {
  readonly verb: string;
  readonly resource: Resource;
  readonly object?: Partial<ObjectName>;
  readonly user?: string;
}

/** What the API server answers where RBAC lets nobody pass. */
function forbidden({ verb, resource, object = {}, user = 'ann' }: Forbidden): KubeError {
  const { namespace = '', name = '' } = object;
  const { plural, group } = resource;
  const named = name === '' || verb === 'create' ? '' : ` "${name}"`;
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  const detail = `${plural}.${group}${named} is forbidden: User "${user}" cannot ${verb} resource "${plural}" in API group "${group}" ${where}`;
  return new KubeError({
    subject: subjectOf(verb, resource, { namespace, name }),
    status: 403,
    reason: 'Forbidden',
    detail,
  });
}

const inShop = (name: string): ObjectName => ({ namespace: 'shop', name });

describe('who is not let through to a secret is told what to ask for:', () => {
  it.each<readonly [string, Forbidden, string]>([
    [
      'put a version',
      { verb: 'create', resource: secretVersions, object: inShop('db.pass-word-12') },
      'ann may not put secret db.pass-word in namespace shop. Ask for: keyferry grant put db.pass-word --to ann -n shop',
    ],
    [
      'destroy a version',
      { verb: 'delete', resource: secretVersions, object: inShop('db-3') },
      'ann may not destroy secret db in namespace shop. Ask for: keyferry grant destroy db --to ann -n shop',
    ],
    [
      'mark a version, so that it is destroyed at once',
      { verb: 'patch', resource: secretVersions, object: inShop('db-3') },
      'ann may not destroy secret db in namespace shop. Ask for: keyferry grant destroy db --to ann -n shop',
    ],
    [
      'delete a secret',
      { verb: 'delete', resource: versionedSecrets, object: inShop('db') },
      'ann may not destroy secret db in namespace shop. Ask for: keyferry grant destroy db --to ann -n shop',
    ],
    [
      'make a secret, which a grant by name does not give',
      { verb: 'create', resource: versionedSecrets, object: inShop('db') },
      'ann may not create versionedsecrets db in namespace shop. Ask for: kubectl create rolebinding keyferry-member-ann --clusterrole=keyferry-member --user=ann -n shop',
    ],
    [
      'change a secret',
      { verb: 'patch', resource: versionedSecrets, object: inShop('db') },
      'ann may not patch versionedsecrets db in namespace shop. Ask for: kubectl create rolebinding keyferry-member-ann --clusterrole=keyferry-member --user=ann -n shop',
    ],
    [
      'list the secrets of a namespace',
      { verb: 'list', resource: versionedSecrets, object: { namespace: 'shop' } },
      'ann may not list versionedsecrets in namespace shop. Ask for: kubectl create rolebinding keyferry-view-ann --clusterrole=keyferry-view --user=ann -n shop',
    ],
    [
      'list the secrets of all namespaces',
      { verb: 'list', resource: versionedSecrets },
      'ann may not list versionedsecrets in all namespaces. Ask for: kubectl create clusterrolebinding keyferry-view-ann --clusterrole=keyferry-view --user=ann',
    ],
    [
      'look at a manager of the cluster',
      { verb: 'get', resource: clusterSecretManagers, object: { name: 'org' } },
      'ann may not get clustersecretmanagers org. Ask for: kubectl create clusterrolebinding keyferry-view-ann --clusterrole=keyferry-view --user=ann',
    ],
    [
      'change a reference',
      { verb: 'patch', resource: secretReferences, object: inShop('api') },
      'ann may not patch secretreferences api in namespace shop. Ask for: kubectl create rolebinding keyferry-edit-ann --clusterrole=keyferry-edit --user=ann -n shop',
    ],
    [
      'as a service account',
      { verb: 'create', resource: secretVersions, object: inShop('db-1'), user: 'system:serviceaccount:shop:ci' },
      'system:serviceaccount:shop:ci may not put secret db in namespace shop. Ask for: keyferry grant put db --to system:serviceaccount:shop:ci -n shop',
    ],
    [
      'by a name that a shell would take apart',
      { verb: 'list', resource: versionedSecrets, object: { namespace: 'shop' }, user: "Ann O'Hara; rm" },
      String.raw`Ann O'Hara; rm may not list versionedsecrets in namespace shop. Ask for: kubectl create rolebinding keyferry-view-Ann-O-Hara-rm --clusterrole=keyferry-view --user='Ann O'\''Hara; rm' -n shop`,
    ],
  ])('%s', (_what, given, text) => {
    expect(refusalText(forbidden(given))).toBe(text);
  });

  it('have it revealed, where the caller knows which one it is', async () => {
    const error = forbidden({ verb: 'create', resource: secretReveals, object: inShop('reveal-1') });

    await expect(asking(() => Promise.reject(error), 'db')).rejects.toMatchObject({
      reason: 'AccessDenied',
      message: 'ann may not access secret db in namespace shop. Ask for: keyferry grant access db --to ann -n shop',
    });
  });
});

describe('a refusal stays as the API server says it', () => {
  it.each<readonly [string, KubeError]>([
    [
      'of what is not ours',
      forbidden({ verb: 'list', resource: { ...versionedSecrets, group: 'apps' }, object: { namespace: 'shop' } }),
    ],
    ['of what no role of ours gives', forbidden({ verb: 'create', resource: clusterSecretManagers })],
    ['of a reveal of nobody knows what', forbidden({ verb: 'create', resource: secretReveals, object: inShop('r') })],
    [
      'that is cut off within the name of the namespace',
      new KubeError({
        subject: subjectOf('list', versionedSecrets, { namespace: 'shop' }),
        status: 403,
        reason: 'Forbidden',
        detail:
          'versionedsecrets.keyferry.io is forbidden: User "ann" cannot list resource "versionedsecrets" in API group "keyferry.io" in the namespace "sh',
      }),
    ],
    [
      'with another status',
      new KubeError({
        subject: subjectOf('list', versionedSecrets, { namespace: 'shop' }),
        status: 500,
        reason: 'InternalError',
        detail: forbidden({ verb: 'list', resource: versionedSecrets }).message,
      }),
    ],
  ])('%s', (_what, error) => {
    expect(refusalText(error)).toBe(error.message);
  });
});
