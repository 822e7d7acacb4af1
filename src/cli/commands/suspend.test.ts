import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { secretReferences } from '../../api/v1/resources.ts';
import { FakeClient } from '../../kube/testing/fake-client.ts';
import { createFakeClock } from '../../runtime/fake-clock.ts';
import type { Cluster } from '../context.ts';
import { fakeContext } from '../testing/fake-context.ts';
import { suspendCommand } from './suspend.ts';

const specSchema = z.object({ suspend: z.boolean().default(false) });
const anywhere = new AbortController().signal;

async function setup(suspend = false) {
  const client = new FakeClient();
  const where = { namespace: 'shop', name: 'db' };
  const spec = { data: { a: { secret: 'b' } }, suspend };
  await client.create(secretReferences, { metadata: where, spec }, { signal: anywhere, fieldManager: 'test' });
  const cluster: Cluster = {
    client,
    namespace: 'shop',
    server: '',
    user: () => Promise.reject(new Error('nobody asks')),
    close: () => Promise.resolve(),
    get transport(): never {
      throw new Error('nothing is watched');
    },
  };
  const controller = new AbortController();
  const clock = createFakeClock();
  const context = { ...fakeContext({ cluster }), clock, signal: controller.signal };
  const suspended = (): boolean => specSchema.parse(client.objects.get('secretreferences/shop/db')?.['spec']).suspend;
  const run = (...args: readonly string[]): Promise<unknown> =>
    suspendCommand(context).parseAsync(['db', ...args], { from: 'user' });
  return { run, suspended, clock, controller, context, client };
}

describe('keyferry suspend --for', () => {
  it('resumes when the time is over', async () => {
    const { run, suspended, clock } = await setup();
    const running = run('--for', '2h');
    await clock.advance(7_199_999);
    expect(suspended()).toBe(true);
    await clock.advance(1);
    await running;
    expect(suspended()).toBe(false);
  });

  it('resumes at Ctrl-C', async () => {
    const { run, suspended, clock, controller, context } = await setup();
    const running = run('--for', '2h');
    await clock.flush();
    controller.abort();
    await running;
    expect(suspended()).toBe(false);
    expect(context.notes.at(-1)).toContain('before its time');
  });

  it('says that it stays suspended where it can not be resumed', async () => {
    const { run, clock, client } = await setup();
    const running = run('--for', '1s');
    await clock.flush();
    client.objects.clear();
    const failure = running.catch((error: unknown) => error);
    await clock.advance(1000);
    expect(String(await failure)).toContain('could not be resumed: keyferry resume db');
  });

  it('does not resume what somebody else has suspended', async () => {
    const { run, suspended } = await setup(true);
    await expect(run('--for', '2h')).rejects.toThrow('suspended already');
    expect(suspended()).toBe(true);
  });
});
