import { describe, expect, it } from 'vitest';
import { CliError } from '../context.ts';
import { grantOf, subjectsOf } from './manifests.ts';
import { rulesOf, thingsOf, toVerb, type Verb } from './verbs.ts';

const ann = subjectsOf({ to: ['ann'] }, 'shop');

function grant(verb: Verb, names: readonly string[], namespace = 'shop') {
  return grantOf({ verb, things: thingsOf(verb, names), subjects: ann, namespace });
}

describe('a grant', () => {
  it('names the objects of the secrets, in whatever case they are typed', () => {
    expect(thingsOf('put', ['DB.Password', 'db.password'])).toEqual({
      resource: 'versionedsecrets',
      names: ['db.password'],
    });
  });

  it('has the same name for the same secrets and receivers in any order, and another for others', () => {
    const name = grant('put', ['a', 'b']).name;
    expect(name).toMatch(/^keyferry-put-[0-9a-f]{8}$/);
    expect(grant('put', ['b', 'A']).name).toBe(name);
    expect(grant('put', ['a']).name).not.toBe(name);
    expect(grant('put', ['*']).name).not.toBe(name);
  });

  it.each<[Verb, readonly string[]]>([
    ['put', ['versionedsecrets get,put [db]', 'versionedsecrets list', 'secretversions create,get,list,watch']],
    ['access', ['versionedsecrets get,access [db]', 'secretreveals create,get,watch']],
    [
      'destroy',
      [
        'versionedsecrets get,destroy [db]',
        'versionedsecrets delete,patch [db]',
        'secretversions get,list,patch,delete',
      ],
    ],
    ['use', ['clustersecretmanagers use [db]']],
  ])('of %s gives that verb on what is named, and what it is of no use without', (verb, rules) => {
    const given = rulesOf(verb, thingsOf(verb, ['db'])).map(
      ({ resources, verbs, resourceNames }) =>
        `${resources.join(',')} ${verbs.join(',')}${resourceNames === undefined ? '' : ` [${resourceNames.join(',')}]`}`,
    );
    expect(given).toEqual(rules);
  });

  it('security rule 1: has no wildcard, not even for all secrets', () => {
    expect(JSON.stringify(grant('destroy', ['*']).role)).not.toContain('"*"');
  });

  it('of a namespaced manager is of that kind', () => {
    expect(thingsOf('use', ['SecretManager/own'])).toEqual({ resource: 'secretmanagers', names: ['own'] });
  });

  it('binds users, groups and service accounts', () => {
    const subjects = subjectsOf({ to: ['ann'], toGroup: ['shop'], toServiceaccount: ['flux/sync', 'own'] }, 'shop');
    const { binding } = grantOf({ verb: 'put', things: thingsOf('put', ['db']), subjects, namespace: 'shop' });
    expect(binding['subjects']).toEqual([
      { kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'shop' },
      { kind: 'ServiceAccount', namespace: 'flux', name: 'sync' },
      { kind: 'ServiceAccount', namespace: 'shop', name: 'own' },
      { kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'ann' },
    ]);
  });

  it.each([
    ['to nobody', () => subjectsOf({}, 'shop')],
    ['to a service account of no form', () => subjectsOf({ toServiceaccount: ['a/b/c'] }, 'shop')],
    ['of a verb that is none', () => toVerb('read')],
    ['of all and some', () => thingsOf('put', ['*', 'db'])],
    ['of managers of two kinds', () => thingsOf('use', ['default', 'SecretManager/own'])],
    ['of a manager of no kind', () => thingsOf('use', ['Vault/own'])],
  ])('%s is refused', (_what, make) => {
    expect(make).toThrow(CliError);
  });
});
