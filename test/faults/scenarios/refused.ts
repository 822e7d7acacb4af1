import type { Stage } from '../stage.ts';

/** The rules of the manager are withdrawn, and Secrets go with them; then they are there again. */
export async function rulesWithdrawn(stage: Stage): Promise<void> {
  await stage.put('db');
  await stage.put('mine');
  await stage.manager({ onRevoked: 'Delete' });
  await stage.reference('app', { password: { secret: 'db' } });
  await stage.reference('kept', { password: { secret: 'mine' } });
  await stage.settle();
  stage.act('revoke-and-delete', 'app');
  await stage.manager({ onRevoked: 'Delete', secrets: ['mine'] });
  stage.expect('app', { state: 'refused', reason: 'AccessDenied', secret: 'absent' });
  await stage.settle();
  await stage.put('db');
  await stage.put('mine');
  await stage.settle();
  await stage.manager({ onRevoked: 'Delete' });
  stage.expect('app', { state: 'Synced' });
}

/** The same, where Secrets stay as they were. A rule for one name grants no longer one. */
export async function rulesWithdrawnKept(stage: Stage): Promise<void> {
  await stage.put('db');
  await stage.put('db-of-others');
  await stage.manager({ secrets: ['db', 'db-of-others'] });
  await stage.reference('app', { password: { secret: 'db-of-others' } });
  await stage.settle();
  await stage.manager({ secrets: ['db'] });
  stage.expect('app', { state: 'refused', reason: 'AccessDenied', secret: 'there' });
  await stage.settle();
  await stage.put('db-of-others');
  await stage.put('db');
  await stage.reference('late', { password: { secret: 'db' } });
}

/** A rule for `db` and a reference that wants what only contains that name. */
export async function neverGranted(stage: Stage): Promise<void> {
  await stage.put('db');
  await stage.put('their-db-too');
  await stage.manager({ secrets: ['db'] });
  await stage.reference('app', { password: { secret: 'db' } });
  await stage.reference('greedy', { password: { secret: 'their-db-too' } });
  stage.expect('greedy', { state: 'refused', reason: 'AccessDenied', secret: 'absent' });
}

/** A Secret of others is in the way, until they let it be taken; then somebody writes into it. */
export async function conflict(stage: Stage): Promise<void> {
  await stage.put('db');
  await stage.foreignSecret('app');
  await stage.manager();
  await stage.reference('app', { password: { secret: 'db' } });
  stage.expect('app', { state: 'refused', reason: 'TargetConflict', secret: 'there' });
  await stage.settle();
  await stage.put('db');
  await stage.annotate('Secret', 'app', { 'keyferry.io/adopt': 'true' });
  await stage.annotate('SecretReference', 'app', { 'keyferry.io/sync': 'now' });
  stage.expect('app', { state: 'Synced' });
  await stage.settle();
  await stage.editSecret('app', 'password');
}

/** A key whose secret does not exist holds back the whole Secret, until it does. */
export async function missingKey(stage: Stage): Promise<void> {
  await stage.put('db');
  await stage.manager();
  await stage.reference('app', { password: { secret: 'db' }, token: { secret: 'token' } });
  stage.expect('app', { state: 'refused', reason: 'SecretNotFound', secret: 'absent' });
  await stage.settle();
  await stage.put('token');
  stage.expect('app', { state: 'Synced' });
  await stage.settle();
  await stage.put('db');
}

/** The same, and it never comes: what is said of it stays the same, and is said once. */
export async function neverThere(stage: Stage): Promise<void> {
  await stage.put('db');
  await stage.manager();
  await stage.reference('app', { password: { secret: 'db' } });
  await stage.reference('waiting', { token: { secret: 'token' } });
  stage.expect('waiting', { state: 'refused', reason: 'SecretNotFound', secret: 'absent' });
}

/** A key that may be missing, and is there. */
export async function optionalKey(stage: Stage): Promise<void> {
  await stage.put('db');
  await stage.put('token');
  await stage.manager();
  await stage.reference('app', { password: { secret: 'db' }, token: { secret: 'token', optional: true } });
  await stage.settle();
  await stage.put('db');
  await stage.settle();
  await stage.put('token');
}

/** Two references add their keys to one Secret of somebody else; one of them goes. */
export async function merged(stage: Stage): Promise<void> {
  await stage.put('db');
  await stage.put('mail');
  await stage.foreignSecret('shared', { 'keyferry.io/merge': 'true' });
  await stage.manager();
  const target = { target: { name: 'shared', ownership: 'Merge' } };
  await stage.reference('one', { password: { secret: 'db' } }, target);
  await stage.reference('two', { mail: { secret: 'mail' } }, target);
  await stage.settle();
  await stage.put('db');
  await stage.put('mail');
  await stage.settle();
  await stage.deleteReference('two');
  await stage.until('the keys of the one that went are withdrawn', () => {
    const annotations = Object.keys(stage.now('Secret', 'shared')?.annotations ?? {});
    return annotations.filter((name) => name.startsWith('keyferry.io/merged.')).length === 1;
  });
}
