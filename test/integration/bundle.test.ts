import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';

const folder = join(import.meta.dirname, '..', '..', 'dist');

/** What a bundle does before anything else of it, as under another Node. */
async function begin(file: string, version: string): Promise<readonly [code: number | undefined, said: string]> {
  const text = await readFile(join(folder, file), 'utf8');
  const [check = ''] = /^const \[nodeMajor.*?\}(?= import )/m.exec(text) ?? [];
  let code: number | undefined;
  let said = '';
  const process = {
    version: `v${version}`,
    versions: { node: version },
    stderr: { write: (words: string) => (said += words) },
    exit: (status: number) => (code = status),
  };
  runInNewContext(check, { process });
  return [code, said];
}

describe('a bundle', () => {
  it.each([
    ['keyferry.mjs', 'keyferry', '20.20.2'],
    ['keyferry.mjs', 'keyferry', '22.18.0'],
    ['operator.mjs', 'the operator of Keyferry', '18.0.0'],
  ])('%s says which Node it needs where that is too old: %s under %s', async (file, name, version) => {
    expect(await begin(file, version)).toEqual([2, `${name} needs Node.js 22.19 or newer; this is v${version}\n`]);
  });

  it('that others import throws where Node is too old, and leaves it to them how they end', async () => {
    await expect(begin('index.mjs', '20.20.2')).rejects.toThrow(
      'the library keyferry needs Node.js 22.19 or newer; this is v20.20.2',
    );
  });

  it.each(['22.19.0', '24.0.0', '100.1.0'])('runs under Node %s', async (version) => {
    expect(await begin('keyferry.mjs', version)).toEqual([undefined, '']);
    expect(await begin('index.mjs', version)).toEqual([undefined, '']);
  });
});
