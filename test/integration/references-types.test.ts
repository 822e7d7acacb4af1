import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { eventually } from '../operator/eventually.ts';
import { makeCertificate } from './certificate.ts';
import { startWorld, type World } from './world.ts';
import { itLeaksNothing } from './world-scan.ts';

const run = `types-${randomUUID().slice(0, 8)}`;
let world: World;
let namespace: string;

beforeAll(async () => {
  world = await startWorld();
  await world.manager();
  namespace = await world.namespace();
});
afterAll(() => world?.stop());

type Values = Readonly<Record<string, string>>;

/** Applies a reference with a key for each value, each from a secret of its own. */
async function refer(name: string, type: string, values: Values): Promise<void> {
  const data: Record<string, object> = {};
  for (const [key, value] of Object.entries(values)) {
    await world.aws.put(`${run}/${name}/${key}`, value);
    data[key] = { secret: `${run}/${name}/${key}` };
  }
  await world.reference(namespace, name, { data, target: { type } });
}

async function typeOf(name: string): Promise<string> {
  const { type } = z.object({ type: z.string() }).parse(await world.api.get('Secret', { namespace, name }));
  return type;
}

const dockerConfig = (auth: string): string => JSON.stringify({ auths: { 'registry.example.com': { auth } } });
const dockerCfg = (auth: string): string => JSON.stringify({ 'registry.example.com': { auth } });

describe('a Secret of the type', () => {
  it.each<readonly [type: string, values: () => Values]>([
    ['Opaque', () => ({ anything: world.canary() })],
    ['kubernetes.io/basic-auth', () => ({ username: 'ann', password: world.canary() })],
    ['kubernetes.io/ssh-auth', () => ({ 'ssh-privatekey': world.canary() })],
    ['kubernetes.io/dockerconfigjson', () => ({ '.dockerconfigjson': dockerConfig(world.canary()) })],
    ['kubernetes.io/dockercfg', () => ({ '.dockercfg': dockerCfg(world.canary()) })],
    ['kubernetes.io/tls', () => makeCertificate()],
  ])('%s is made', async (type, values) => {
    const name = `type-${type.replace('kubernetes.io/', '').toLowerCase()}`;
    const wanted = values();

    await refer(name, type, wanted);
    await world.waitReady(namespace, name, 'Synced');

    expect(await typeOf(name)).toBe(type);
    expect(await world.secretData(namespace, name)).toEqual(wanted);
  });

  it('dockerconfigjson may come out of a template', async () => {
    const password = world.canary();
    await world.aws.put(`${run}/registry`, password);
    await world.reference(namespace, 'pull', {
      data: { password: { secret: `${run}/registry` } },
      template: {
        data: {
          '.dockerconfigjson':
            '{"auths": {"r.example.com": {"username": "ann", "password": {{Secrets.password | json}}}}}',
        },
      },
      target: { type: 'kubernetes.io/dockerconfigjson' },
    });

    await world.waitReady(namespace, 'pull', 'Synced');

    const shown = await world.secretData(namespace, 'pull');
    expect(JSON.parse(shown['.dockerconfigjson'] ?? '')).toEqual({
      auths: { 'r.example.com': { username: 'ann', password } },
    });
  });
});

describe('a Secret that its type does not allow', () => {
  it.each<readonly [what: string, type: string, values: () => Values, says: string]>([
    ['tls without a key', 'kubernetes.io/tls', () => ({ 'tls.crt': 'x' }), 'needs the key tls.key'],
    ['ssh without a key', 'kubernetes.io/ssh-auth', () => ({ key: world.canary() }), 'needs the key ssh-privatekey'],
    [
      'basic-auth with neither',
      'kubernetes.io/basic-auth',
      () => ({ user: 'ann' }),
      'needs the key username or password',
    ],
    [
      'a registry without its key',
      'kubernetes.io/dockerconfigjson',
      () => ({ config: dockerConfig(world.canary()) }),
      'needs the key .dockerconfigjson',
    ],
    [
      'a registry that is not JSON',
      'kubernetes.io/dockerconfigjson',
      () => ({ '.dockerconfigjson': `{"auths": ${world.canary()}` }),
      '.dockerconfigjson',
    ],
    [
      'an old registry that is not JSON',
      'kubernetes.io/dockercfg',
      () => ({ '.dockercfg': `not json ${world.canary()}` }),
      '.dockercfg',
    ],
  ])('is InvalidValue and says which key: %s', async (_what, type, values, says) => {
    const name = `refused-${randomUUID().slice(0, 8)}`;

    await refer(name, type, values());
    const { message } = await world.waitReady(namespace, name, 'InvalidValue');

    expect(message).toContain(type);
    expect(message).toContain(says);
    expect(await world.api.find('Secret', { namespace, name })).toBeUndefined();
  });

  it('is left as it was when a rotation would break it, and heals by the next', async () => {
    const [good, better] = [dockerConfig(world.canary()), dockerConfig(world.canary())];
    await refer('breaks', 'kubernetes.io/dockerconfigjson', { '.dockerconfigjson': good });
    await world.waitReady(namespace, 'breaks', 'Synced');

    await world.aws.put(`${run}/breaks/.dockerconfigjson`, `{${world.canary()}`);
    await world.waitReady(namespace, 'breaks', 'InvalidValue');
    const kept = await world.secretData(namespace, 'breaks');
    await world.aws.put(`${run}/breaks/.dockerconfigjson`, better);
    await world.waitReady(namespace, 'breaks', 'Synced');

    expect(kept).toEqual({ '.dockerconfigjson': good });
    expect(await world.secretData(namespace, 'breaks')).toEqual({ '.dockerconfigjson': better });
  });

  it('says so in one event, too', async () => {
    await refer('told', 'kubernetes.io/dockercfg', { '.dockercfg': world.canary() });
    const { message } = await world.waitReady(namespace, 'told', 'InvalidValue');

    await eventually('the event is there', async () => {
      const events = eventsSchema.parse(await world.api.list('Event', namespace));
      const own = events.filter(({ regarding }) => regarding.name === 'told');
      expect(own).toMatchObject([{ reason: 'InvalidValue', type: 'Warning', note: message }]);
    });
  });
});

const eventsSchema = z.array(
  z.object({ reason: z.string(), type: z.string(), note: z.string(), regarding: z.object({ name: z.string() }) }),
);

describe('tls with garbage in it', () => {
  it('is taken as it is, as the API server does', async () => {
    const garbage = { 'tls.crt': world.canary(), 'tls.key': world.canary() };

    await refer('garbage', 'kubernetes.io/tls', garbage);
    await world.waitReady(namespace, 'garbage', 'Synced');

    expect(await world.secretData(namespace, 'garbage')).toEqual(garbage);
  });
});

itLeaksNothing(() => world);
