import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { nodeFlags } from '../operator/operator-process.ts';

const root = join(import.meta.dirname, '..', '..');
const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8');
const lastStage = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));

describe('security rule 22: the image', () => {
  const entrypoint = z
    .array(z.string())
    .parse(JSON.parse(/^ENTRYPOINT ([^\]]*\])/m.exec(lastStage)?.[1]?.replaceAll('\\\n', '') ?? '[]'));

  test('starts Node as every test does: no code from strings, no __proto__, no inspector', () => {
    expect(entrypoint).toEqual(expect.arrayContaining([...nodeFlags]));
  });

  test('allows no core dump', () => {
    expect(entrypoint.slice(0, 3)).toEqual(['/usr/bin/prlimit', '--core=0:0', '--']);
  });

  test('bounds the heap by the memory of the container', () => {
    expect(entrypoint).toContain('--max-old-space-size-percentage=60');
  });

  test('runs as nobody in particular, in an empty folder', () => {
    expect(lastStage).toMatch(/^USER 65532:65532$/m);
    expect(lastStage).toMatch(/^WORKDIR \/empty$/m);
  });

  test('has nothing in its last stage but what the stage before it laid out', () => {
    expect(lastStage).not.toMatch(/^(?:RUN|ADD)/m);
    expect(lastStage.match(/^COPY .*/gm)).toEqual(['COPY --from=build /image/ /']);
  });
});

test('the Node of the image is the one that the tests run on', () => {
  const { devDependencies } = z
    .object({ devDependencies: z.object({ node: z.string() }) })
    .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));

  expect(dockerfile).toContain(`ARG NODE_IMAGE=docker.io/library/node:${devDependencies.node}-`);
});
