import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runCommand } from '../cluster/command.ts';
import { readPage } from '../docs/pages.ts';

const root = join(import.meta.dirname, '..', '..');

function demo(manager: string): Promise<string> {
  const env = { KEEP: '', MANAGER: manager };
  return runCommand(process.execPath, [join(root, 'test', 'demo', 'demo.ts')], { env });
}

it('the demo shows what it promises and what the README shows of it, and ends by itself', async () => {
  const output = await demo('');
  const sessions = readPage('README.md').blocks.filter(({ language }) => language === 'console');
  expect(sessions.length).toBeGreaterThan(0);
  expect(lines(output)).toEqual(expect.arrayContaining(sessions.flatMap(({ text }) => lines(text))));
  expect(output).toMatch(/# All is as it should be\.\n\n# Stopping everything\.\n$/);
});

it('the demo shows on AWS what it promises, and ends by itself', async () => {
  expect(await demo('aws')).toMatch(/# All is as it should be\.\n\n# Stopping everything\.\n$/);
});

/** What differs from run to run (ids, ages, hashes, and so the width of columns) is made equal. */
function lines(text: string): string[] {
  const equal = text
    .replaceAll(/@[0-9a-f]{8}\b/g, '@ID')
    .replaceAll(/(^| )\d+s( |$)/gm, '$1AGE$2')
    .replaceAll(/^(replicaset\S*?)-\w+ /gm, '$1-HASH ')
    .replaceAll(/^(orders)-\w+-\w+ /gm, '$1-HASH ');
  return equal.split('\n').map((line) => line.replaceAll(/ +/g, ' ').trim());
}
