import { stringify } from 'yaml';
import type { ReadyReason } from '../../src/api/v1/conditions.ts';

/** A reference called `broken` and what it needs, for each reason that the page on troubleshooting shows. */
export interface BrokenReference {
  readonly reason: ReadyReason;
  readonly manifest: string;
}

const deadManager = {
  apiVersion: 'keyferry.io/v1',
  kind: 'ClusterSecretManager',
  metadata: { name: 'dead' },
  spec: {
    aws: { region: 'eu-west-1', endpoint: 'http://127.0.0.1:9' },
    access: [{ namespaces: { names: ['*'] }, secrets: ['**'] }],
  },
};

function broken(reason: ReadyReason, spec: object, ...others: readonly object[]): BrokenReference {
  const reference = { apiVersion: 'keyferry.io/v1', kind: 'SecretReference', metadata: { name: 'broken' }, spec };
  return { reason, manifest: [...others, reference].map((object) => stringify(object)).join('---\n') };
}

function password(entry: object): object {
  return { data: { password: entry } };
}

const manyKeys = Object.fromEntries(Array.from({ length: 24 }, (_, index) => [`key-${index}`, { secret: 'shop/big' }]));

export const brokenReferences: readonly BrokenReference[] = [
  broken('Synced', { ...password({ secret: 'shop/db.password' }), target: { name: 'other' } }),
  broken('SecretNotFound', password({ secret: 'shop/db.pasword' })),
  broken('NoVersion', password({ secret: 'shop/empty' })),
  broken('VersionNotFound', password({ secret: 'shop/db.password', stage: 'NOPE' })),
  broken('VersionDisabled', password({ secret: 'shop/deleted' })),
  broken('PropertyNotFound', { data: { username: { secret: 'shop/db.account', property: 'user.nam' } } }),
  broken('AccessDenied', password({ secret: 'other/thing' })),
  broken('ManagerNotFound', { ...password({ secret: 'x' }), managerRef: { name: 'nope' } }),
  broken('ManagerUnavailable', { ...password({ secret: 'x' }), managerRef: { name: 'dead' } }, deadManager),
  broken('InvalidValue', { data: { username: { secret: 'shop/plain', property: 'name' } } }),
  broken('InvalidValue', { data: { 'tls.crt': { secret: 'shop/plain' } }, target: { type: 'kubernetes.io/tls' } }),
  broken('TemplateFailed', {
    ...password({ secret: 'shop/db.password' }),
    template: { data: { url: '{{Secrets.pasword}}' } },
  }),
  broken('TargetConflict', { ...password({ secret: 'shop/db.password' }), target: { name: 'foreign' } }),
  broken('LimitExceeded', { data: manyKeys }),
  broken('Suspended', { ...password({ secret: 'shop/db.password' }), suspend: true }),
];
