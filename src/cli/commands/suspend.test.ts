import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { secretReferences } from '../../api/v1/resources.ts';
import { FakeClient } from '../../kube/testing/fake-client.ts';
import { createFakeClock } from '../../runtime/fake-clock.ts';
import type { Cluster } from '../context.ts';
import { fakeContext } from '../testing/fake-context.ts';
import { resumeCommand } from './resume.ts';
import { suspendCommand } from './suspend.ts';

const viewSchema = z.object({
  metadata: z.object({ annotations: z.record(z.string(), z.string()) }),
  spec: z.object({ suspend: z.boolean() }),
});
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
  const clock = createFakeClock(Date.parse('2026-01-01T10:00:00Z'));
  const context = { ...fakeContext({ cluster }), clock };
  const stored = () => viewSchema.parse(client.objects.get('secretreferences/shop/db'));
  const run = async (command: 'suspend' | 'resume', ...args: readonly string[]): Promise<void> => {
    const commands = { suspend: suspendCommand, resume: resumeCommand };
    await commands[command](context).parseAsync(['db', ...args], { from: 'user' });
  };
  return { run, stored, clock, context };
}

const until = 'keyferry.io/suspend-until';

describe('keyferry suspend', () => {
  it('writes down until when, and leaves the spec to whoever owns it', async () => {
    const { run, stored, context } = await setup();
    await run('suspend', '--for', '2h');
    expect(stored()).toMatchObject({
      metadata: { annotations: { [until]: '2026-01-01T12:00:00.000Z' } },
      spec: { suspend: false },
    });
    expect(context.notes.join('\n')).toContain('until 2026-01-01T12:00:00.000Z');
  });

  it('can be taken back before, and given another time', async () => {
    const { run, stored } = await setup();
    await run('suspend', '--for', '2h');
    await run('suspend', '--for', '3h');
    expect(stored().metadata.annotations).toEqual({ [until]: '2026-01-01T13:00:00.000Z' });
    await run('resume');
    expect(stored()).toMatchObject({ metadata: { annotations: {} }, spec: { suspend: false } });
    expect(stored().metadata.annotations).not.toHaveProperty(until);
  });

  it('is over by itself', async () => {
    const { run, clock, context } = await setup();
    await run('suspend', '--for', '1s');
    await clock.advance(1000);
    await run('resume');
    expect(context.notes.at(-1)).toContain('is not suspended');
  });

  it('without a time is in the spec, where resume ends it', async () => {
    const { run, stored } = await setup();
    await run('suspend');
    expect(stored().spec.suspend).toBe(true);
    await run('resume');
    expect(stored().spec.suspend).toBe(false);
  });

  it('does not give an end to what somebody else has suspended', async () => {
    const { run, stored } = await setup(true);
    await expect(run('suspend', '--for', '2h')).rejects.toThrow('suspended already');
    expect(stored().metadata.annotations).toEqual({});
  });
});
