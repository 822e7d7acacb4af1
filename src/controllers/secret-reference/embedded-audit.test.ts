import { describe, expect, it } from 'vitest';
import type { HeldVersion } from '../../api/v1/secret-reference.ts';
import { embeddedNames } from '../../managers/secret-names.ts';
import { SecretValue } from '../../managers/secret-value.ts';
import type { AuditEntry } from '../audit.ts';
import { buildReference } from '../testing/builders.ts';
import { createFakeSource, directoryOf } from '../testing/fake-source.ts';
import { createEmbeddedAudit } from './embedded-audit.ts';
import type { ResolvedKey } from './resolution.ts';

const manager = 'ClusterSecretManager/default';

function bench(names = embeddedNames('org')) {
  const records: AuditEntry[] = [];
  const state = { refuses: false };
  const audit = createEmbeddedAudit({
    managers: directoryOf(createFakeSource(), { names }),
    operator: () => 'the operator',
    log: {
      record: async (entry) => {
        if (state.refuses) throw new Error('the disk is full');
        records.push(entry);
      },
    },
  });
  return { audit, records, state, told: () => records.map(({ action, secret, version }) => [action, secret, version]) };
}

function key(name: string, secret: string, version: string): ResolvedKey {
  const origin = { manager, secret, requested: 'latest', version, identity: `${version}@abc` };
  return { key: name, value: SecretValue.fromString('canary'), origin, listable: true };
}

function held(secret: string, version: string): HeldVersion {
  const since = '2026-01-01T00:00:00Z';
  return { manager, secret, requested: 'latest', version, identity: `${version}@abc`, keys: [], since };
}

describe('what is noted of a reference', () => {
  it('is each version that it gets, once, with who and for whom', async () => {
    const { audit, records } = bench();
    const keys = [key('a', 'DB.Password', '3'), key('b', 'db.password', '3')];

    await audit.opened(buildReference(), keys);

    expect(records).toEqual([
      {
        action: 'access',
        user: 'the operator',
        namespace: 'org',
        secret: 'db.password',
        version: 3,
        for: 'SecretReference shop/api-db',
        result: 'Allowed',
      },
    ]);
  });

  it('is not noted again while its target can not be written, nor once it holds the version', async () => {
    const { audit, told } = bench();
    const keys = [key('a', 'db', '3')];
    await audit.opened(buildReference(), keys);
    await audit.opened(buildReference(), keys);
    const holding = buildReference({ status: { versions: [held('db', '3')] } });
    await audit.opened(holding, keys);
    await audit.synced(holding, keys, false);
    expect(told()).toEqual([['access', 'db', 3]]);
  });

  it('is the version that is new in its target, or all of a target that is written anew', async () => {
    const { audit, told } = bench();
    const reference = buildReference({ status: { versions: [held('db', '3'), held('other', '1')] } });
    await audit.synced(reference, [key('a', 'db', '4'), key('b', 'other', '1')], true);
    expect(told()).toEqual([['sync', 'db', 4]]);
    await audit.synced(reference, [key('a', 'db', '3'), key('b', 'other', '1')], true);
    expect(told().slice(1)).toEqual([
      ['sync', 'db', 3],
      ['sync', 'other', 1],
    ]);
  });

  it('must be noted, or it does not happen', async () => {
    const { audit, state, told } = bench();
    state.refuses = true;
    await expect(audit.opened(buildReference(), [key('a', 'db', '3')])).rejects.toThrow('the disk is full');
    state.refuses = false;
    await audit.opened(buildReference(), [key('a', 'db', '3')]);
    expect(told()).toEqual([['access', 'db', 3]]);
  });

  it('is only what is kept in the cluster, and never a default', async () => {
    const { audit, records } = bench();
    const elsewhere = { manager: 'ClusterSecretManager/gone', secret: 'db', requested: 'latest' };
    const keys: ResolvedKey[] = [
      { ...key('a', 'db', '3'), origin: undefined },
      { ...key('b', 'db', '3'), origin: { ...elsewhere, version: 'x', identity: 'x@y' } },
    ];
    await audit.opened(buildReference(), keys);
    await audit.synced(buildReference(), keys, true);
    expect(records).toEqual([]);
  });
});
