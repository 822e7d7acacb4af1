import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { ensureBinary } from '../cluster/binaries.ts';
import { chart, runHelm, type Values } from './helm.ts';

vi.setConfig({ testTimeout: 60_000 });

const access = [{ namespaces: { names: ['*'] }, secrets: ['{namespace}/**'] }];
const aws = { defaultManager: { aws: { region: 'eu-west-1' }, access } };
let copy: string;

/** Helm shows notes only to who installs, so they stand in a template here. */
beforeAll(async () => {
  await ensureBinary('helm');
  copy = join(await mkdtemp(join(tmpdir(), 'keyferry-notes-')), 'keyferry');
  await cp(chart, copy, { recursive: true });
  const text = await readFile(join(copy, 'templates', 'NOTES.txt'), 'utf8');
  const template = `{{- define "notes" }}${text}{{ end }}\nnotes: {{ include "notes" . | toJson }}\n`;
  await writeFile(join(copy, 'templates', 'notes.yaml'), template);
}, 600_000);

afterAll(() => rm(join(copy, '..'), { recursive: true, force: true }));

async function notes(values: Values = {}, namespace = 'keyferry'): Promise<string> {
  const only = ['--show-only=templates/notes.yaml', '--kube-version=1.36.0'];
  const said = await runHelm(['template', 'keyferry', copy, '--namespace', namespace, ...only], values);
  return z.object({ notes: z.string() }).parse(parse(said)).notes;
}

/** The commands in them that work in a namespace. */
const commandsIn = (text: string): readonly string[] =>
  text.split('\n').filter((line) => /^ {2}(?:keyferry put|echo|kubectl get)/.test(line));

describe('the notes', () => {
  it('begin with what was installed, and have no gap where something is left out', async () => {
    for (const values of [{}, aws, { defaultManager: { create: false } }]) {
      expect(await notes(values)).toMatch(/^Keyferry \S+ is installed in namespace keyferry\./);
      expect(await notes(values)).not.toMatch(/\n\n\n|^Next step:.*\n {2}\S/m);
      expect(await notes(values)).toMatch(/\n\nNext step: /);
    }
  });

  it('name the namespaces that are watched, and use the first of them in every command', async () => {
    for (const values of [{}, aws]) {
      const said = await notes({ ...values, watchNamespaces: ['shop', 'cart'] });

      expect(said).toContain('It works in shop, cart and nowhere else.');
      expect(commandsIn(said)).toHaveLength(3);
      for (const command of commandsIn(said)) expect(command).toContain(' -n shop');
    }
    expect(commandsIn(await notes())).toHaveLength(3);
    expect(commandsIn(await notes()).join('\n')).not.toContain(' -n ');
  });

  it('show the next step with AWS, and speak of no sealing key there', async () => {
    const said = await notes({ ...aws, watchNamespaces: ['shop'] });

    expect(said).toContain('keyferry put shop/db.password --create --generate --manager aws/default -n shop');
    expect(said).toContain('"secret": "shop/db.password"');
    expect(said).not.toMatch(/sealing key|keys backup/);
  });

  it('speak of the sealing key where another manager keeps secrets in the cluster', async () => {
    expect(await notes({ ...aws, policies: { embeddedManagers: ['own'] } })).toContain('keyferry keys backup');
  });

  it('say where the operator is to every command that asks for it', async () => {
    const said = await notes({}, 'harbour');

    expect(said).toContain('`keyferry status --operator-namespace harbour`');
    expect(said).toMatch(/keys backup --file \S+ --operator-namespace harbour$/m);
    expect(await notes()).not.toContain('--operator-namespace');
  });

  it('name a file for the keys that git leaves alone in a checkout', async () => {
    const [, file] = /keys backup --file (\S+)/.exec(await notes()) ?? [];
    const ignored = await readFile(join(chart, '..', '..', '.gitignore'), 'utf8');

    expect(ignored.split('\n')).toContain(file);
  });
});
