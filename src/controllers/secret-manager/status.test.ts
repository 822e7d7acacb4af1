import { describe, expect, it } from 'vitest';
import { type ManagerStatus, secretManagerSpecSchema } from '../../api/v1/secret-manager.ts';
import { ManagerError } from '../../managers/errors.ts';
import { buildMetadata } from '../testing/builders.ts';
import type { ManagerObject } from './manager-object.ts';
import { type ManagerFindings, nextManagerStatus, sameManagerStatus } from './status.ts';

const object: ManagerObject = {
  kind: 'SecretManager',
  metadata: buildMetadata({ name: 'aws' }),
  spec: secretManagerSpecSchema.parse({ aws: { region: 'eu-west-1' } }),
  status: {},
};
const fine: ManagerFindings = {
  problem: undefined,
  outage: undefined,
  identity: { state: 'known', identity: 'arn:me' },
  usage: { secrets: 2, subscribers: 3 },
};

function ready(findings: ManagerFindings, of: ManagerObject = object) {
  return nextManagerStatus(of, findings, 'now').conditions?.[0];
}

describe('the status of a manager', () => {
  it('says who we are and how much it is used', () => {
    const status = nextManagerStatus(object, fine, 'now');
    expect(status).toMatchObject({ backend: 'aws', identity: 'arn:me', secretsInUse: 2, referencesInUse: 3 });
    expect(ready(fine)).toMatchObject({ status: 'True', reason: 'Ready' });
  });

  it('keeps what was counted while it is not known how much it is used', () => {
    const before = { ...object, status: nextManagerStatus(object, fine, 'then') };
    const status = nextManagerStatus(before, { ...fine, usage: undefined }, 'now');
    expect(status).toMatchObject({ secretsInUse: 2, referencesInUse: 3 });
  });

  it('says no longer who we were once it is another backend, but goes on while the same one refuses us', () => {
    const refused: ManagerFindings = {
      ...fine,
      identity: { state: 'refused', error: new ManagerError('AccessDenied', 'no') },
    };
    const status = nextManagerStatus(object, fine, 'then');
    const embedded = { ...status, backend: 'embedded', identity: 'secrets kept in this cluster' };

    expect(nextManagerStatus({ ...object, status: embedded }, refused, 'now')).not.toHaveProperty('identity');
    expect(nextManagerStatus({ ...object, status }, refused, 'now')).toMatchObject({ identity: 'arn:me' });
  });

  it('is the same when nothing changed, whatever the time', () => {
    const status = nextManagerStatus(object, fine, 'then');
    expect(sameManagerStatus(status, nextManagerStatus({ ...object, status }, fine, 'now'))).toBe(true);
  });

  it('is not ready where its settings can not work, and says why', () => {
    expect(ready({ ...fine, problem: 'no keys' })).toMatchObject({
      status: 'False',
      reason: 'InvalidSettings',
      message: 'no keys',
    });
  });

  it('says which key values are sealed to, and keeps it while that is being looked at', () => {
    const sealing = { state: 'known', publicKey: 'age1abc', cluster: 'cluster-uid' } as const;
    const status = nextManagerStatus(object, { ...fine, sealing }, 'then');
    expect(status).toMatchObject({ publicKey: 'age1abc', cluster: 'cluster-uid' });
    const asking = { ...fine, identity: { state: 'asking' }, sealing: { state: 'unknown' } } as const;
    expect(sameManagerStatus(status, nextManagerStatus({ ...object, status }, asking, 'now'))).toBe(true);
  });

  it('says whether the keys were backed up, but for those that are kept elsewhere', () => {
    const sealing = { state: 'known', publicKey: 'age1abc', cluster: 'cluster-uid' } as const;
    const of = (backup: string | undefined): ManagerStatus =>
      nextManagerStatus(object, { ...fine, sealing: { ...sealing, backup } }, 'then');

    expect(of('never')).toMatchObject({ keyBackup: 'never' });
    expect(of('2026-01-01T00:00:00Z')).toMatchObject({ keyBackup: '2026-01-01T00:00:00Z' });
    expect(of(undefined)).not.toHaveProperty('keyBackup');
  });

  it('is not ready without a key to seal to, and says no longer which it was', () => {
    const sealing = { state: 'known', publicKey: 'age1abc', cluster: 'cluster-uid' } as const;
    const before = { ...object, status: nextManagerStatus(object, { ...fine, sealing }, 'then') };
    const missing: ManagerFindings = {
      ...fine,
      identity: undefined,
      sealing: { state: 'missing', problem: 'restore it' },
    };
    expect(ready(missing, before)).toMatchObject({
      status: 'False',
      reason: 'SealingKeyMissing',
      message: 'no value can be put, and those that were are as they were: restore it',
    });
    expect(nextManagerStatus(before, missing, 'now')).not.toHaveProperty('publicKey');
  });

  it('is not ready while the backend does not answer', () => {
    expect(ready({ ...fine, outage: 'Throttled' })).toMatchObject({ status: 'False', reason: 'Throttled' });
  });

  it('is not ready where the backend refuses our identity, and unknown where it could not be asked for it', () => {
    const refused = (reason: 'AccessDenied' | 'ManagerUnavailable'): ManagerFindings => ({
      ...fine,
      identity: { state: 'refused', error: new ManagerError(reason, 'no') },
    });
    expect(ready(refused('AccessDenied'))).toMatchObject({ status: 'False', reason: 'AccessDenied', message: 'no' });
    expect(ready(refused('ManagerUnavailable'))).toMatchObject({ status: 'Unknown', reason: 'ManagerUnavailable' });
  });

  it('keeps what was said while the backend is being asked', () => {
    const status = nextManagerStatus(object, fine, 'then');
    expect(ready({ ...fine, identity: { state: 'asking' } }, { ...object, status })).toMatchObject({
      status: 'True',
      reason: 'Ready',
    });
  });
});
