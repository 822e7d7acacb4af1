import { expect, test } from 'vitest';
import { failureOf } from '../../kube/testing/failure-of.ts';
import { createRecordingClient, kubeError } from '../testing/recording-client.ts';
import { createAuthorizer } from './authorizer.ts';

const { signal } = new AbortController();
const question = {
  user: 'ada',
  groups: ['dev', 'system:authenticated'],
  verb: 'put',
  namespace: 'shop',
  secret: 'db',
} as const;

test('it asks for the verb on this one secret, as the user with its groups', async () => {
  const client = createRecordingClient(() => ({ allowed: true }));

  expect(await createAuthorizer(client).mayDo(question, signal)).toBe(true);
  expect(client.calls).toMatchObject([
    {
      verb: 'review',
      object: 'subjectaccessreviews',
      body: {
        user: 'ada',
        groups: ['dev', 'system:authenticated'],
        resourceAttributes: {
          group: 'keyferry.io',
          resource: 'versionedsecrets',
          verb: 'put',
          namespace: 'shop',
          name: 'db',
        },
      },
    },
  ]);
});

test.each([{ allowed: false }, { allowed: false, denied: true, reason: 'no' }])('a no is a no: %j', async (status) => {
  const authorizer = createAuthorizer(createRecordingClient(() => status));

  expect(await authorizer.mayDo(question, signal)).toBe(false);
});

test('no answer is no permission: it rejects', async () => {
  const away = createAuthorizer(createRecordingClient(() => kubeError(503, 'ServiceUnavailable')));
  const odd = createAuthorizer(createRecordingClient(() => ({})));

  expect((await failureOf(away.mayDo(question, signal))).status).toBe(503);
  await expect(odd.mayDo(question, signal)).rejects.toThrow('allowed');
});

test('every question is asked anew, so that what was taken back is gone', async () => {
  const client = createRecordingClient(() => ({ allowed: client.calls.length === 1 }));
  const authorizer = createAuthorizer(client);

  expect(await authorizer.mayDo(question, signal)).toBe(true);
  expect(await authorizer.mayDo(question, signal)).toBe(false);
});
