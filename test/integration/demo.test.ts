import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runCommand } from '../cluster/command.ts';

const root = join(import.meta.dirname, '..', '..');

it('the demo shows what it promises, and ends by itself', async () => {
  const output = await runCommand(process.execPath, [join(root, 'test', 'demo', 'demo.ts')], { env: { KEEP: '' } });
  expect(output).toContain('$ kubectl get sref\n');
  expect(output).toContain('Did you mean shop/db.password?');
  expect(output).toMatch(/# All is as it should be\.\n\n# Stopping everything\.\n$/);
});
