import { describe, expect, it } from 'vitest';
import { KubeError } from '../kube/errors.ts';
import type { RawObject } from '../kube/object.ts';
import { rawObjectSchema } from '../kube/object.ts';
import { findManager, managerChoice } from './manager-choice.ts';
import { managerName } from './session.ts';

describe('--manager', () => {
  it.each([
    ['default', { backend: undefined, kind: undefined, name: 'default' }],
    ['aws/prod', { backend: 'aws', kind: undefined, name: 'prod' }],
    ['embedded/org', { backend: 'embedded', kind: undefined, name: 'org' }],
    ['SecretManager/own', { backend: undefined, kind: 'SecretManager', name: 'own' }],
    ['ClusterSecretManager/org', { backend: undefined, kind: 'ClusterSecretManager', name: 'org' }],
  ])('may be %s', (text, choice) => {
    expect(managerChoice(text)).toEqual(choice);
  });

  it.each(['', '/', 'aws/', '/default', 'gcp/prod', 'aws/a/b', 'secretmanager/own'])('may not be %j', (text) => {
    expect(() => managerChoice(text)).toThrow('--manager takes the name of a manager, as in default, aws/NAME');
  });

  it('names whose key values are sealed to, which those in AWS are not', () => {
    expect(managerName(undefined)).toEqual({ kind: 'ClusterSecretManager', name: 'default' });
    expect(managerName('embedded/org')).toEqual({ kind: 'ClusterSecretManager', name: 'org' });
    expect(managerName('SecretManager/own')).toEqual({ kind: 'SecretManager', name: 'own' });
    expect(() => managerName('aws/prod')).toThrow('are not sealed');
  });
});

type Found = object | 404 | 403;

/** Finds a manager where the API server has, or refuses, these. */
async function found(text: string, objects: Readonly<Record<string, Found>>): Promise<string> {
  const get = async (resource: { kind: string }, { namespace, name }: { namespace: string; name: string }) => {
    const answer = objects[`${resource.kind} ${namespace}/${name}`] ?? 404;
    if (typeof answer === 'number') throw refused(answer, resource.kind);
    const metadata = { name, namespace, uid: 'u', resourceVersion: '1' };
    const raw: RawObject = rawObjectSchema.parse({ metadata, spec: answer });
    return raw;
  };
  const { kind, metadata } = await findManager({ get }, managerChoice(text), 'shop', new AbortController().signal);
  return `${kind} ${metadata.namespace}/${metadata.name}`;
}

function refused(status: number, resource: string): KubeError {
  const subject = { verb: 'get', resource, object: 'x', sensitive: false };
  return new KubeError({ subject, status, reason: status === 404 ? 'NotFound' : 'Forbidden' });
}

describe('the manager that is named', () => {
  const aws = { aws: { region: 'eu-west-1' }, access: [{ namespaces: { names: ['*'] }, secrets: ['*'] }] };
  const own = { aws: { region: 'eu-west-1', auth: { secretRef: { name: 'keys' } } } };

  it.each<[string, string, Readonly<Record<string, Found>>, string]>([
    [
      'that of the cluster',
      'x',
      { 'ClusterSecretManager /x': aws, 'SecretManager shop/x': own },
      'ClusterSecretManager /x',
    ],
    ['else that of the namespace', 'aws/x', { 'SecretManager shop/x': own }, 'SecretManager shop/x'],
    [
      'that of the namespace where others may not be read',
      'x',
      { 'ClusterSecretManager /x': 403, 'SecretManager shop/x': own },
      'SecretManager shop/x',
    ],
    [
      'that of the kind that is given',
      'SecretManager/x',
      { 'ClusterSecretManager /x': aws, 'SecretManager shop/x': own },
      'SecretManager shop/x',
    ],
  ])('is %s', async (_what, text, objects, expected) => {
    expect(await found(text, objects)).toBe(expected);
  });

  it.each<[string, string, Readonly<Record<string, Found>>, string]>([
    ['is not there', 'x', {}, 'there is no ClusterSecretManager and no SecretManager x'],
    ['may not be read', 'x', { 'ClusterSecretManager /x': 403 }, 'you may not read ClusterSecretManager x'],
    ['is of another backend', 'embedded/x', { 'ClusterSecretManager /x': aws }, 'in AWS: --manager aws/x'],
    ['is of a later release', 'x', { 'ClusterSecretManager /x': { access: 1 } }, 'a form that this version does not'],
  ])('is refused with what to do where it %s', async (_what, text, objects, words) => {
    await expect(found(text, objects)).rejects.toThrow(words);
  });
});
