import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { importsOf, violations } from './architecture.ts';

describe('the code', () => {
  test('keeps to the layers, the lengths and the one door for settings', async () => {
    const root = join(import.meta.dirname, '..');
    const paths = globSync('src/**/*.ts', { cwd: root });
    const files = await Promise.all(
      paths.map(async (path) => ({ path, text: await readFile(join(root, path), 'utf8') })),
    );

    expect(files.length).toBeGreaterThan(20);
    expect(violations(files)).toEqual([]);
  });
});

describe('the check of the code', () => {
  test.each([
    ['src/runtime/queue.ts', "import { x } from '../kube/store.ts';", 'runtime may import nothing of ours'],
    ['src/api/v1/names.ts', "import { x } from '../../runtime/clock.ts';", 'api may import nothing of ours'],
    ['src/kube/store.ts', "import type { x } from '../managers/manager.ts';", 'kube may import runtime'],
    ['src/kube/store.ts', "export { x } from '../controllers/x.ts';", 'kube may import runtime'],
    ['src/kube/store.ts', "export * from '../controllers/x.ts';", 'kube may import runtime'],
    ['src/kube/store.test.ts', "import '../api/v1/names.ts';", 'kube may import runtime'],
    ['src/managers/aws/manager.ts', "const x = await import('../../controllers/x.ts');", 'managers may import api'],
    ['src/controllers/x/y.ts', "import {\n  a,\n  b,\n} from '../../main.ts';", 'imports src/main.ts'],
    ['src/operator/operator.ts', "import { x } from '../index.ts';", 'imports src/index.ts'],
    ['src/kube/store.ts', "import { x } from '../../test/cluster/kubectl.ts';", 'no part of the product'],
    ['src/news/x.ts', "import { x } from '../kube/store.ts';", 'a folder that is no layer'],
    ['src/controllers/x.ts', "import { x } from '@aws-sdk/client-sts';", 'only src/managers/aws/ may'],
    ['src/controllers/x.ts', "import { KubeConfig } from '@kubernetes/client-node';", 'only src/kube/ may'],
  ])('sees in %s that %j is wrong', (path, text, message) => {
    expect(violations([{ path, text }])).toEqual([expect.stringContaining(message)]);
  });

  test.each([
    ['src/kube/store.ts', "import { x } from '../runtime/clock.ts';\nimport { y } from './object.ts';"],
    ['src/controllers/x/y.ts', "import { x } from '../../managers/manager.ts';"],
    ['src/main.ts', "import { x } from './operator/operator.ts';\nparseConfig(process.env);"],
    ['src/index.test.ts', "import { x } from '../test/contract/memory-manager.ts';"],
    ['src/managers/aws/manager.ts', "import { x } from '@aws-sdk/client-secrets-manager';"],
    ['src/kube/store.ts', '// see ../managers/manager.ts\nconst env = options.env;'],
  ])('has nothing against %s with %j', (path, text) => {
    expect(violations([{ path, text }])).toEqual([]);
  });

  test.each(['process.env.HOME', "process.env['HOME']", "process['env']", 'const { env } = process'])(
    'sees that %s reads the environment',
    (text) => {
      expect(violations([{ path: 'src/kube/store.ts', text }])).toEqual([
        expect.stringContaining('reads the environment'),
      ]);
      expect(violations([{ path: 'src/config.ts', text }])).toEqual([]);
    },
  );

  test('counts the lines of code, and lets tests be longer', () => {
    const code = (lines: number): string => 'x();\n'.repeat(lines);
    const prose = '// why\n\n/** what */\n'.repeat(100);

    expect(violations([{ path: 'src/kube/a.ts', text: code(301) }])).toEqual([
      expect.stringContaining('has 301 lines'),
    ]);
    expect(violations([{ path: 'src/kube/a.test.ts', text: code(501) }])).toEqual([
      expect.stringContaining('has 501 lines'),
    ]);
    expect(violations([{ path: 'src/kube/a.ts', text: code(300) + prose }])).toEqual([]);
    expect(violations([{ path: 'src/kube/a.test.ts', text: code(301) }])).toEqual([]);
  });

  test('finds every form of import, and nothing that only looks like one', () => {
    const text = [
      "import a from 'one';",
      "import type { B } from 'two';",
      "import 'three';",
      "export * from 'four';",
      "await import('five');",
      "const label = 'value from';",
    ].join('\n');

    expect(importsOf(text)).toEqual(['one', 'two', 'three', 'four', 'five']);
  });
});
