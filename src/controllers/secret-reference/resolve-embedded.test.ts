import { describe, expect, it } from 'vitest';
import type { Selector } from '../../managers/manager.ts';
import { embeddedNames } from '../../managers/secret-names.ts';
import type { ReadyManager } from '../managers.ts';
import { buildReference } from '../testing/builders.ts';
import { createFakeSource, directoryOf, failed, type FakeSource, known, versionOf } from '../testing/fake-source.ts';
import { createReader } from './reader.ts';
import type { Reference } from './reference.ts';
import type { Resolution } from './resolution.ts';
import { resolveReference } from './resolve.ts';

const asker = { namespace: 'shop', labels: {}, trustedLabels: new Set<string>() };

function value(secret: string, selector: Selector = { kind: 'latest' }) {
  return { kind: 'value', secret, selector } as const;
}

function find(prefix: string) {
  return { kind: 'find', query: { prefix, tags: new Map<string, string>() }, known: [] } as const;
}

/** Resolves with a manager that keeps each namespace's own secrets, or those of all in one. */
function resolve(
  source: FakeSource,
  reference: Reference,
  { shared, ...manager }: Partial<ReadyManager> & { readonly shared?: string } = {},
): Resolution {
  const names = embeddedNames(shared);
  const directory = directoryOf(source, { names, access: undefined, ...manager });
  const options = { refreshInterval: undefined, familiarNames: () => ['db.password'] };
  return resolveReference(reference, createReader({ ...options, directory, asker }));
}

function keysOf(resolution: Resolution): Record<string, string> {
  if (resolution.state !== 'resolved') throw new Error(JSON.stringify(resolution));
  return Object.fromEntries(resolution.keys.map((item) => [item.key, item.value.asString()]));
}

function failureOf(resolution: Resolution) {
  if (resolution.state !== 'failed') throw new Error(`expected a failure, not ${resolution.state}`);
  return resolution.failure;
}

const finding = (entry: object) => buildReference({ spec: { data: undefined, dataFrom: [entry] } });

describe('a reference to embedded secrets', () => {
  it('gets those of its own namespace, in any spelling of case', () => {
    const source = createFakeSource();
    source.set(value('shop/db.password'), known(versionOf('1')));
    source.set(value('bank/db.password'), known(versionOf('2')));
    const spec = { data: { a: { secret: 'DB.Password' }, b: { secret: 'db.password' } } };
    expect(keysOf(resolve(source, buildReference({ spec })))).toEqual({ a: '1', b: '1' });
  });

  it('gets those of one namespace for all where the manager keeps them there', () => {
    const source = createFakeSource();
    source.set(value('org/smtp/password'), known(versionOf('1')));
    const reference = buildReference({ spec: { data: { a: { secret: 'smtp/Password' } } } });
    const access = [{ namespaces: { names: ['shop'] }, secrets: ['smtp/*'] }];
    expect(keysOf(resolve(source, reference, { shared: 'org', access }))).toEqual({ a: '1' });
  });

  it('is refused where the access rules do not grant it, whatever the case', () => {
    const access = [{ namespaces: { names: ['shop'] }, secrets: ['db.*'] }];
    const source = createFakeSource();
    source.set(value('shop/db.password'), known(versionOf('1')));
    const granted = buildReference({ spec: { data: { a: { secret: 'DB.PASSWORD' } } } });
    const denied = buildReference({ spec: { data: { a: { secret: 'API.KEY' } } } });
    expect(keysOf(resolve(source, granted, { access }))).toEqual({ a: '1' });
    expect(failureOf(resolve(source, denied, { access }))).toMatchObject({
      reason: 'AccessDenied',
      message: expect.stringContaining('secrets: ["API.KEY"]'),
    });
  });

  it('is told how to create what is not there, as it spells it, and what may have been meant', () => {
    const source = createFakeSource();
    source.set(value('shop/db_password'), failed('SecretNotFound', 'the folded name'));
    source.set(value('shop/db.pasword'), failed('SecretNotFound', 'the folded name'));
    const messageOf = (secret: string): string =>
      failureOf(resolve(source, buildReference({ spec: { data: { a: { secret } } } }))).message;
    expect(messageOf('DB_PASSWORD')).toBe(
      'key a, secret DB_PASSWORD (ClusterSecretManager default): there is no secret of this name in namespace shop. To create it: keyferry put "DB_PASSWORD" --create -n shop. Did you mean db.password?',
    );
    expect(messageOf('db.pasword')).toMatch(/Did you mean db\.password\?$/u);
  });
});

describe('a find of embedded secrets', () => {
  const found = [
    { secret: 'shop/app/database_password', name: 'App/DATABASE_PASSWORD', tags: new Map() },
    { secret: 'shop/app/feature', name: 'app/feature', tags: new Map() },
  ];

  it('names keys as people wrote the secrets, and takes the prefix off in any spelling of case', () => {
    const source = createFakeSource();
    source.set(find('shop/app/'), known(found));
    source.set(value('shop/app/database_password'), known(versionOf('1')));
    source.set(value('shop/app/feature'), known(versionOf('2')));
    const entry = { find: { prefix: 'APP/' }, keys: { style: 'AsIs', stripPrefix: 'aPP/' } };
    expect(keysOf(resolve(source, finding(entry)))).toEqual({ DATABASE_PASSWORD: '1', feature: '2' });
  });

  it('leaves out what nobody put a value into yet, and keeps what the target holds', () => {
    const source = createFakeSource();
    source.set(find('shop/app/'), known(found));
    source.set(value('shop/app/database_password'), failed('NoVersion', 'it has no version yet'));
    source.set(value('shop/app/feature'), known(versionOf('2')));
    const entry = { find: { prefix: 'app/' }, keys: { style: 'EnvVar' } };
    const version = { manager: 'ClusterSecretManager/default', requested: 'latest', version: '1', identity: '1@abc' };
    const held = { ...version, secret: 'App/DATABASE_PASSWORD', keys: [], since: '2026-01-01T00:00:00Z' };
    const holding = buildReference({
      spec: { data: undefined, dataFrom: [entry] },
      status: { versions: [held] },
    });

    expect(keysOf(resolve(source, finding(entry)))).toEqual({ APP_FEATURE: '2' });
    expect(failureOf(resolve(source, holding)).reason).toBe('NoVersion');
  });

  it('has those looked at that the target holds, in any spelling of case, and no others', () => {
    const source = createFakeSource();
    const version = { manager: 'ClusterSecretManager/default', requested: 'latest', version: '1', identity: '1@abc' };
    const more = { ...version, keys: [], since: '2026-01-01T00:00:00Z' };
    const versions = [
      { ...more, secret: 'APP/x' },
      { ...more, secret: 'other' },
    ];
    const reference = buildReference({
      spec: { data: undefined, dataFrom: [{ find: { prefix: 'app/' } }] },
      status: { versions },
    });
    const options = { refreshInterval: undefined, familiarNames: () => [], asker };
    const directory = directoryOf(source, { names: embeddedNames(undefined) });
    const reader = createReader({ ...options, directory });

    resolveReference(reference, reader);

    expect(reader.wants.get('ClusterSecretManager/default')).toMatchObject([
      { topic: { kind: 'find', query: { prefix: 'shop/app/' }, known: ['shop/app/x'] } },
    ]);
  });
});
