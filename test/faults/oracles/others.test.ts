import { describe, expect, it } from 'vitest';
import type { History } from '../history.ts';
import { historyOf, put, referenceWith, requestOf, secretWith, versionOf } from '../testing/histories.ts';
import { noLeak } from './leak.ts';
import { liveness } from './liveness.ts';
import { judge } from './oracles.ts';
import { truthfulStatus } from './status.ts';
import { tenancy } from './tenancy.ts';

describe('S8', () => {
  const manager = (...secrets: readonly string[]) =>
    versionOf({
      kind: 'ClusterSecretManager',
      name: 'shop',
      object: { spec: { access: [{ namespaces: { names: ['shop'] }, secrets }] } },
    });
  const asks = (secret: string, ...patterns: readonly string[]): number =>
    tenancy(
      historyOf({ objects: [manager(...patterns)], calls: [{ action: 'GetSecretValue', secrets: [secret], at: 1 }] }),
    ).length;

  it('knows what rules grant, from end to end and segment by segment', () => {
    expect(asks('db', 'db')).toBe(0);
    expect(asks('their-db', 'db')).toBe(1);
    expect(asks('db-too', 'db')).toBe(1);
    expect(asks('shop/db', '{namespace}/*')).toBe(0);
    expect(asks('shop/db/deep', 'shop/*')).toBe(1);
    expect(asks('shop/db/deep', 'shop/**')).toBe(0);
    expect(asks('dxb', 'd.b')).toBe(1);
  });

  it('sees requests to other namespaces, and to all of them', () => {
    const requests = (parts: Parameters<typeof requestOf>[0]): number =>
      tenancy(historyOf({ requests: [requestOf(parts)] })).length;
    expect(requests({})).toBe(0);
    expect(requests({ namespace: 'lane', resource: 'leases' })).toBe(0);
    expect(requests({ namespace: '', resource: 'clustersecretmanagers' })).toBe(0);
    expect(requests({ namespace: 'other' })).toBe(1);
    expect(requests({ namespace: '', verb: 'list' })).toBe(1);
  });
});

describe('S9', () => {
  const canaries = ['Zq7XkPw93LmTb5Vn'];
  const leaks = (parts: Partial<History>): number => noLeak(historyOf({ canaries, ...parts })).length;

  it('lets values be in the data of Secrets, and nowhere else', () => {
    const [value = ''] = canaries;
    expect(
      leaks({ objects: [secretWith({ one: value })], requests: [requestOf({ body: { data: { one: value } } })] }),
    ).toBe(0);
    expect(leaks({ logs: [{ where: 'log', text: `it is ${value}` }] })).toBeGreaterThan(0);
    const encoded = Buffer.from(value).toString('hex');
    expect(
      leaks({ objects: [secretWith({ one: value }, { object: { metadata: { labels: { digest: encoded } } } })] }),
    ).toBeGreaterThan(0);
    expect(
      leaks({ requests: [requestOf({ resource: 'events', body: { note: value.slice(2, 12) } })] }),
    ).toBeGreaterThan(0);
  });
});

describe('S12', () => {
  const status = (version: string, revision = '5', generation = 1) => ({
    observedGeneration: generation,
    conditions: [{ type: 'Ready', status: 'True', reason: 'Synced', observedGeneration: generation }],
    versions: [{ secret: 'db', requested: 'latest', version }],
    target: { uid: 'secret-1', resourceVersion: revision },
  });
  const lies = (said: ReturnType<typeof status>): number =>
    truthfulStatus(
      historyOf({
        backend: put('db', 'one', 'two'),
        objects: [
          secretWith({ password: 'two' }, { revision: 5 }),
          referenceWith({ password: { secret: 'db' } }, { revision: 6, status: said }),
        ],
      }),
    ).length;

  it('is content with the truth', () => {
    expect(lies(status('v2'))).toBe(0);
  });

  it('sees a version that the Secret did not hold, a Secret that there was not, and a generation to come', () => {
    expect(lies(status('v1'))).toBe(1);
    expect(lies(status('v2', '4'))).toBe(1);
    expect(lies(status('v2', '5', 2))).toBeGreaterThan(0);
  });
});

describe('L1 and L2', () => {
  const wait = { what: 'all is well', law: 'L1', why: 'it is not' } as const;

  it('see what was waited for in vain', () => {
    expect(liveness(historyOf({ waits: [{ ...wait, met: true }] }))).toEqual([]);
    expect(liveness(historyOf({ waits: [{ ...wait, met: false }] }))).toEqual([
      { law: 'L1', what: 'in vain: all is well (it is not)' },
    ]);
  });
});

it('a history in which nothing happened violates nothing', () => {
  expect(judge(historyOf())).toEqual([]);
});
