import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { version } from './version.ts';

test('the version is that of package.json', async () => {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  expect(version).toBe(z.object({ version: z.string() }).parse(JSON.parse(text)).version);
});
