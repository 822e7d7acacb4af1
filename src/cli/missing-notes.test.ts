import { describe, expect, it } from 'vitest';
import type { KubeClient } from '../kube/client.ts';
import { KubeError } from '../kube/errors.ts';
import { rawObjectSchema } from '../kube/object.ts';
import { subjectOf } from '../kube/path.ts';
import { thingsOf } from './grant/verbs.ts';
import { missingNamespace, missingThings } from './missing-notes.ts';

const never = new AbortController().signal;

/** Knows of the named objects, each `plural namespace/name`; with a status, each call is refused by it. */
function clusterWith(objects: readonly string[], status = 404): Pick<KubeClient, 'get'> {
  return {
    get: (resource, { namespace, name }) => {
      if (objects.includes(`${resource.plural} ${namespace}/${name}`)) {
        return Promise.resolve(
          rawObjectSchema.parse({ metadata: { name, namespace, uid: 'u', resourceVersion: '1' } }),
        );
      }
      return Promise.reject(new KubeError({ subject: subjectOf('get', resource), status, reason: '' }));
    },
  };
}

const client = clusterWith([
  'versionedsecrets shop/db.password',
  'clustersecretmanagers /default',
  'secretmanagers shop/own',
  'namespaces /shop',
]);

describe('what is named', () => {
  it.each<[Parameters<typeof thingsOf>[0], readonly string[], readonly string[]]>([
    ['put', ['DB.password'], []],
    ['put', ['db.password', 'db.pasword'], ['note: there is no VersionedSecret db.pasword in namespace shop (yet)']],
    ['put', ['*'], []],
    ['use', ['default'], []],
    ['use', ['nomanager'], ['note: there is no ClusterSecretManager nomanager (yet)']],
    ['use', ['SecretManager/own'], []],
    ['use', ['SecretManager/none'], ['note: there is no SecretManager none in namespace shop (yet)']],
  ])('to %s %j and is not there is noted: %j', async (verb, given, notes) => {
    expect(await missingThings(client, thingsOf(verb, given), 'shop', never)).toEqual(notes);
  });

  it('is not said to be missing to somebody who may not look', async () => {
    const forbidding = clusterWith([], 403);
    expect(await missingThings(forbidding, thingsOf('put', ['none']), 'shop', never)).toEqual([]);
    expect(await missingNamespace(forbidding, 'none', never)).toBeUndefined();
  });
});

describe('a namespace', () => {
  it('that is not there is noted', async () => {
    expect(await missingNamespace(client, 'shop', never)).toBeUndefined();
    expect(await missingNamespace(client, 'none', never)).toBe('note: there is no namespace none (yet)');
  });
});
