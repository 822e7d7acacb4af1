import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { eventually } from '../operator/eventually.ts';
import { startWorld, type World } from './world.ts';
import { itLeaksNothing } from './world-scan.ts';

const run = `template-${randomUUID().slice(0, 8)}`;
let world: World;
let namespace: string;
let password: string;

beforeAll(async () => {
  world = await startWorld();
  await world.manager();
  namespace = await world.namespace();
  password = world.canary();
  await world.aws.put(`${run}/password`, password);
  await world.aws.put(`${run}/user`, '  Ann@Example?x="1"\n');
  await world.aws.put(`${run}/bytes`, Buffer.from([0xff, 0x00, 0xfe]));
});
afterAll(() => world?.stop());

const data = {
  'db.password': { secret: `${run}/password` },
  USER: { secret: `${run}/user` },
  bytes: { secret: `${run}/bytes` },
  missing: { secret: `${run}/missing`, optional: true },
};

async function render(
  name: string,
  template: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, string>>> {
  await world.reference(namespace, name, { data, template: { data: template } });
  await world.waitReady(namespace, name, 'Synced');
  return world.secretData(namespace, name);
}

async function complaint(name: string, template: Readonly<Record<string, string>>): Promise<string> {
  await world.reference(namespace, name, { data, template: { data: template } });
  return (await world.waitReady(namespace, name, 'TemplateFailed')).message;
}

describe('a template', () => {
  it('shows its own keys only, and finds names exactly or without regard to case', async () => {
    const shown = await render('lookup', {
      url: 'postgres://{{ Secrets.user | trim | uri }}:{{Secrets["db.password"] | uri}}@db/shop',
      again: '{{ Secrets.User | trim }}',
    });

    expect(shown).toEqual({
      url: `postgres://Ann%40Example%3Fx%3D%221%22:${password}@db/shop`,
      again: 'Ann@Example?x="1"',
    });
  });

  it('has a few filters', async () => {
    const shown = await render('filters', {
      base64: '{{ Secrets["DB.PASSWORD"] | base64 }}',
      binary: '{{ Secrets.bytes | base64 }}',
      json: '{"user": {{ Secrets.USER | json }}}',
      trim: '[{{ Secrets.USER | trim }}]',
      upper: '{{ Secrets.USER | trim | upper }}',
      lower: '{{ Secrets.USER | trim | lower }}',
      default: '{{ Secrets.missing | default: "none" }}',
      uri: '{{ Secrets.USER | uri }}',
    });

    expect(shown).toEqual({
      base64: Buffer.from(password).toString('base64'),
      binary: '/wD+',
      json: '{"user": "  Ann@Example?x=\\"1\\"\\n"}',
      trim: '[Ann@Example?x="1"]',
      upper: 'ANN@EXAMPLE?X="1"',
      lower: 'ann@example?x="1"',
      default: 'none',
      uri: '%20%20Ann%40Example%3Fx%3D%221%22%0A',
    });
  });

  it('follows its values', async () => {
    const secret = `${run}/follows`;
    const [one, two] = [world.canary(), world.canary()];
    await world.aws.put(secret, one);
    await world.reference(namespace, 'follows', {
      data: { token: { secret } },
      template: { data: { file: 'token={{Secrets.TOKEN}}\n' } },
    });
    await world.waitReady(namespace, 'follows', 'Synced');
    expect(await world.secretData(namespace, 'follows')).toEqual({ file: `token=${one}\n` });

    await world.aws.put(secret, two);

    await eventually('it follows', async () =>
      expect(await world.secretData(namespace, 'follows')).toEqual({ file: `token=${two}\n` }),
    );
  });

  it('finds the keys that dataFrom brings', async () => {
    const value = world.canary();
    await world.aws.put(`${run}/object`, JSON.stringify({ ApiKey: value }));
    await world.reference(namespace, 'extracted', {
      dataFrom: [{ extract: { secret: `${run}/object` } }],
      template: { data: { header: 'Bearer {{ Secrets.apikey }}' } },
    });

    await world.waitReady(namespace, 'extracted', 'Synced');

    expect(await world.secretData(namespace, 'extracted')).toEqual({ header: `Bearer ${value}` });
  });
});

describe('a template that fails', () => {
  it.each([
    ['an unknown name', '{{ Secrets.passwort }}', ['no key "passwort"', 'keys: USER, bytes, db.password, missing']],
    ['a name that is almost right', '{{ Secrets.byte }}', ['did you mean "bytes"?']],
    ['an unknown filter', '{{ Secrets.USER | shell }}', ['shell', 'trim']],
    ['security rule 14: a tag', '{% include "/etc/passwd" %}', ['tags']],
    ['a brace that is never closed', '{{ Secrets.USER', ['line 1']],
    ['bytes that are no text', '{{ Secrets.bytes }}', ['not UTF-8', 'base64']],
    ['a key without a value', '{{ Secrets.missing }}', ['default']],
  ])('by %s says where and what to do', async (_what, template, says) => {
    const message = await complaint(`fails-${randomUUID().slice(0, 8)}`, { good: 'x', bad: template });

    expect(message).toContain('template.data "bad", line 1');
    for (const text of says) expect(message).toContain(text);
  });

  it('security rule 17: by keys that differ only in case', async () => {
    await world.reference(namespace, 'ambiguous', {
      data: { token: { secret: `${run}/password` }, TOKEN: { secret: `${run}/password` } },
      template: { data: { x: '{{ Secrets.Token }}' } },
    });

    const { message } = await world.waitReady(namespace, 'ambiguous', 'TemplateFailed');

    expect(message).toContain('(TOKEN, token)');
    expect(message).toContain('write the name exactly');
  });

  it('leaves the whole Secret as it was', async () => {
    const shown = await render('whole', { a: '{{ Secrets.USER | trim }}' });

    await complaint('whole', { a: 'changed', b: '{{ Secrets.nope }}' });

    expect(await world.secretData(namespace, 'whole')).toEqual(shown);
  });

  it('heals when it is corrected', async () => {
    await complaint('heals', { a: '{{ Secrets.nope }}' });

    expect(await render('heals', { a: '{{ Secrets["db.password"] }}' })).toEqual({ a: password });
  });
});

const metadataSchema = z.object({
  metadata: z.object({ labels: z.record(z.string(), z.string()), annotations: z.record(z.string(), z.string()) }),
});

async function ownMetadata(name: string): Promise<{ labels: object; annotations: object }> {
  const { metadata } = metadataSchema.parse(await world.api.get('Secret', { namespace, name }));
  const foreign = (part: Readonly<Record<string, string>>): object =>
    Object.fromEntries(Object.entries(part).filter(([key]) => !key.startsWith('keyferry.io/')));
  return { labels: foreign(metadata.labels), annotations: foreign(metadata.annotations) };
}

describe("the template's labels and annotations", () => {
  it('are set, changed and taken away again, and those of others stay', async () => {
    const spec = { data: { password: { secret: `${run}/password` } } };
    const first = { labels: { team: 'shop', tier: 'one' }, annotations: { 'example.com/note': 'a', url: 'b' } };
    await world.reference(namespace, 'labels', { ...spec, template: { metadata: first } });
    await world.waitReady(namespace, 'labels', 'Synced');
    expect(await ownMetadata('labels')).toEqual(first);
    const others = { labels: { theirs: 'x' }, annotations: { 'example.com/theirs': 'y' } };
    await world.api.patch('Secret', { namespace, name: 'labels' }, { metadata: others });

    const second = { labels: { team: 'web' }, annotations: { 'example.com/note': 'c' } };
    await world.reference(namespace, 'labels', { ...spec, template: { metadata: second } });
    await eventually('the Secret follows', async () =>
      expect(await ownMetadata('labels')).toEqual({
        labels: { ...second.labels, ...others.labels },
        annotations: { ...second.annotations, ...others.annotations },
      }),
    );

    await world.reference(namespace, 'labels', spec);
    await eventually('nothing is left', async () => expect(await ownMetadata('labels')).toEqual(others));
    expect(await world.secretData(namespace, 'labels')).toEqual({ password });
  });

  it('come back when somebody changes them', async () => {
    const metadata = { labels: { team: 'shop' }, annotations: { note: 'a' } };
    const spec = { data: { password: { secret: `${run}/password` } }, template: { metadata } };
    await world.reference(namespace, 'drift', spec);
    await world.waitReady(namespace, 'drift', 'Synced');

    const changed = { labels: { team: 'other' }, annotations: { note: null } };
    await world.api.patch('Secret', { namespace, name: 'drift' }, { metadata: changed });

    await eventually('they are back', async () => expect(await ownMetadata('drift')).toEqual(metadata));
  });
});

itLeaksNothing(() => world);
