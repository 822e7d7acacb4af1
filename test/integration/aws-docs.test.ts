import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { runKubectl } from '../cluster/kubectl.ts';

const cluster = inject('cluster');
const page = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'aws.md'), 'utf8');
const manifests = Array.from(page.matchAll(/^( *)```yaml\n(.*?)^ *```$/gms), ([, indent = '', body = '']) =>
  body.replaceAll(new RegExp(`^${indent}`, 'gm'), '').replace('namespace: shop', 'namespace: default'),
);

describe('the page on AWS', () => {
  it.each(manifests)('shows a manager that the API server takes: %#', async (manifest) => {
    const answer = await runKubectl(cluster, ['create', '--dry-run=server', '--validate=strict', '-f', '-'], manifest);
    expect(answer).toMatch(/created \(server dry run\)/);
  });
});
