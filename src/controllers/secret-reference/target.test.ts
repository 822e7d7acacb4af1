import { describe, expect, it } from 'vitest';
import { SecretValue } from '../../managers/secret-value.ts';
import type { KubeError } from '../../kube/errors.ts';
import { base64, buildOwnedSecret, buildReference } from '../testing/builders.ts';
import { createRecordingClient, kubeError, type RecordedCall } from '../testing/recording-client.ts';
import { desiredTarget } from './desired-target.ts';
import { type TargetOutcome, writeNewTarget, writeTarget } from './target.ts';

const signal = new AbortController().signal;

async function write(
  answer: (call: RecordedCall) => object | KubeError,
  spec: object = {},
  how = writeTarget,
  unsure: { readonly unknown?: readonly string[]; readonly claimed?: string } = {},
): Promise<{ readonly outcome: TargetOutcome; readonly calls: readonly RecordedCall[] }> {
  const client = createRecordingClient(answer);
  const values = new Map([['password', SecretValue.fromString('two')]]);
  const desired = desiredTarget(buildReference({ spec }), values, [], { inputs: '1:bbbb', content: '1:bbbb' });
  const mayReplace = (content: string): boolean => !(unsure.unknown ?? []).includes(content);
  const outcome = await how(client, desired, {
    signal,
    mayReplace,
    claimed: unsure.claimed,
    beforeChange: () => Promise.resolve(),
  });
  return { outcome, calls: client.calls };
}

/** What the API server has, and what it answers to writes, each a version later. */
function server(existing: object | KubeError, refusal?: KubeError): (call: RecordedCall) => object | KubeError {
  let version = 7;
  return ({ verb }) => {
    if (verb === 'get') return existing;
    version += 1;
    return refusal ?? buildOwnedSecret({ metadata: { resourceVersion: String(version) } });
  };
}

const missing = kubeError(404, 'NotFound');
const extra = buildOwnedSecret({ data: { password: base64('one'), extra: base64('x') } });

describe('a write of a target', () => {
  it('creates what does not exist', async () => {
    const { outcome, calls } = await write(server(missing));
    expect(calls.map(({ verb }) => verb)).toEqual(['get', 'create']);
    expect(outcome).toMatchObject({ state: 'synced', change: 'created' });
  });

  it('is tried again where somebody made the Secret in the same moment', async () => {
    await expect(write(server(missing, kubeError(409, 'AlreadyExists')))).rejects.toThrow('AlreadyExists');
  });

  it('carries the uid and resourceVersion that were read, and in the second call those that the first left', async () => {
    const { outcome, calls } = await write(server(extra));
    expect(calls.slice(1)).toMatchObject([
      { verb: 'patch', body: { metadata: { uid: 'secret-uid', resourceVersion: '7' }, data: { extra: null } } },
      { verb: 'apply', force: true, body: { metadata: { uid: 'secret-uid', resourceVersion: '8' } } },
    ]);
    expect(outcome).toMatchObject({ state: 'synced', change: 'bytes', seen: { resourceVersion: '9' } });
  });

  it('is tried again, and does no more, where the Secret moved since it was read', async () => {
    const conflict = kubeError(409, 'Conflict');
    await expect(write(server(extra, conflict))).rejects.toBe(conflict);
  });

  it.each([408, 500, 503])('is tried again after an answer of %i', async (status) => {
    await expect(write(server(buildOwnedSecret(), kubeError(status, '')))).rejects.toThrow(String(status));
  });

  it('says which fields are refused, and never what the API server says of them', async () => {
    const causes = [{ reason: 'FieldValueInvalid', field: 'data[tls.crt]', manager: '' }];
    const { outcome } = await write(server(buildOwnedSecret(), kubeError(422, 'Invalid', { causes, detail: 'two' })));
    expect(outcome).toMatchObject({ failure: { reason: 'InvalidValue', message: expect.stringContaining('tls.crt') } });
    expect(JSON.stringify(outcome)).not.toContain('two');
  });

  it('is a conflict where a policy or a quota refuses it', async () => {
    const { outcome } = await write(server(missing, kubeError(403, 'Forbidden')));
    expect(outcome).toMatchObject({ failure: { reason: 'TargetConflict' } });
  });

  it('names who has the fields that a merge would take', async () => {
    const causes = [{ reason: 'FieldManagerConflict', field: '.metadata.labels.team', manager: 'helm' }];
    const shared = buildOwnedSecret({
      data: {},
      metadata: { labels: {}, annotations: { 'keyferry.io/merge': 'true' }, ownerReferences: [], managedFields: [] },
    });
    const merge = { target: { ownership: 'Merge' } };
    const { outcome, calls } = await write(server(shared, kubeError(409, 'Conflict', { causes })), merge);
    expect(calls.at(-1)).toMatchObject({ verb: 'apply', force: false });
    expect(outcome).toMatchObject({
      failure: { reason: 'TargetConflict', message: expect.stringContaining('from helm') },
    });
  });

  it('makes no Secret to merge into', async () => {
    const { outcome, calls } = await write(server(missing), { target: { ownership: 'Merge' } });
    expect(calls.map(({ verb }) => verb)).toEqual(['get']);
    expect(outcome).toMatchObject({
      failure: { reason: 'TargetConflict', message: expect.stringContaining('does not exist') },
    });
  });
});

describe('a write of a target that is most likely missing', () => {
  it('creates it without a look', async () => {
    const { outcome, calls } = await write(server(missing), {}, writeNewTarget);
    expect(calls.map(({ verb }) => verb)).toEqual(['create']);
    expect(outcome).toMatchObject({ state: 'synced', change: 'created' });
  });

  it('reads what exists after all, and writes only what is its own', async () => {
    const exists = kubeError(409, 'AlreadyExists');
    const own = buildOwnedSecret();
    const foreign = buildOwnedSecret({ metadata: { annotations: {}, ownerReferences: [] } });
    const answers = (existing: object) => (call: RecordedCall) => (call.verb === 'create' ? exists : existing);

    const taken = await write(answers(foreign), {}, writeNewTarget);
    expect(taken.calls.map(({ verb }) => verb)).toEqual(['create', 'get']);
    expect(taken.outcome).toMatchObject({ failure: { reason: 'TargetConflict' } });

    const ours = await write(answers(own), {}, writeNewTarget);
    expect(ours.calls.map(({ verb }) => verb)).toEqual(['create', 'get', 'apply']);
    expect(ours.outcome).toMatchObject({ state: 'synced', change: 'bytes' });
  });

  it('makes no Secret to merge into', async () => {
    const { calls } = await write(server(missing), { target: { ownership: 'Merge' } }, writeNewTarget);
    expect(calls.map(({ verb }) => verb)).toEqual(['get']);
  });
});

describe('a write over what another process may have written', () => {
  it('waits where the content is not known', async () => {
    const { outcome, calls } = await write(server(buildOwnedSecret()), {}, writeTarget, { unknown: ['1:aaaa'] });
    expect(outcome).toEqual({ state: 'unsure' });
    expect(calls.map(({ verb }) => verb)).toEqual(['get']);
  });

  it('waits where the Secret is gone and was last said to hold a content that is not known', async () => {
    const unsure = { unknown: ['1:cccc'], claimed: '1:cccc' };
    const { outcome, calls } = await write(server(missing), {}, writeTarget, unsure);
    expect(outcome).toEqual({ state: 'unsure' });
    expect(calls.map(({ verb }) => verb)).toEqual(['get']);
  });

  it('goes ahead where the content is the wanted one already', async () => {
    const { outcome } = await write(server(missing), {}, writeTarget, { unknown: ['1:bbbb'], claimed: '1:bbbb' });
    expect(outcome).toMatchObject({ state: 'synced', change: 'created' });
  });
});
