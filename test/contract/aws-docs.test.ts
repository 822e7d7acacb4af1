import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { clusterSecretManagerSpecSchema, secretManagerSpecSchema } from '../../src/api/v1/secret-manager.ts';
import { ruleMistakes } from '../../src/managers/access-rules.ts';
import { backendOf } from '../../src/managers/registry.ts';

const page = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'aws.md'), 'utf8');
const manifestSchema = z.object({
  apiVersion: z.literal('keyferry.io/v1'),
  kind: z.enum(['ClusterSecretManager', 'SecretManager']),
  metadata: z.object({ name: z.string(), namespace: z.string().optional() }),
  spec: z.record(z.string(), z.unknown()),
});

function blocks(language: string): readonly string[] {
  const found = page.matchAll(new RegExp(`^( *)\`\`\`${language}\n(.*?)^ *\`\`\`$`, 'gms'));
  return Array.from(found, ([, indent = '', body = '']) => body.replaceAll(new RegExp(`^${indent}`, 'gm'), ''));
}

describe('the page on AWS', () => {
  it('has examples', () => {
    expect([blocks('yaml').length, blocks('json').length]).toEqual([6, 3]);
  });

  it.each(blocks('yaml'))('shows a manager that works as it is written: %#', (text) => {
    const { kind, metadata, spec } = manifestSchema.parse(parse(text));
    const cluster = kind === 'ClusterSecretManager';
    const parsed = cluster ? clusterSecretManagerSpecSchema.parse(spec) : secretManagerSpecSchema.parse(spec);
    // The schemas drop what they don't know: everything that is written must still be there.
    expect(parsed).toMatchObject(spec);
    expect(backendOf(parsed)).toBe('aws');
    expect('access' in parsed ? ruleMistakes(parsed.access ?? [], new Set()) : []).toEqual([]);
    expect(metadata.namespace === undefined).toBe(cluster);
  });

  it.each(blocks('json'))('shows a policy that is JSON: %#', (text) => {
    expect(JSON.parse(text)).toHaveProperty('Version', '2012-10-17');
  });

  it('links to its own headings', () => {
    const headings = new Set(
      Array.from(page.matchAll(/^## (.*)$/gm), ([, title = '']) =>
        title
          .toLowerCase()
          .replaceAll(/[^a-z0-9 -]/g, '')
          .replaceAll(' ', '-'),
      ),
    );
    const links = Array.from(page.matchAll(/\]\(#([^)]*)\)/g), ([, anchor = '']) => anchor);
    expect(links.filter((anchor) => !headings.has(anchor))).toEqual([]);
  });
});
