import { describe, expect, it } from 'vitest';
import { programs } from './build.ts';
import { sbomOf } from './sbom.ts';

describe('the bill of materials', async () => {
  const { components, dependencies } = await sbomOf(programs);
  const inBundle = (file: string): readonly unknown[] =>
    components.filter(({ properties }) => properties.some(({ value }) => value === file)).map(({ name }) => name);

  it('lists what each bundle has code of', () => {
    expect(inBundle('operator.mjs')).toEqual(
      expect.arrayContaining(['undici', 'zod', 'winston', 're2js', 'liquidjs', 'age-encryption', '@smithy/core']),
    );
    expect(inBundle('keyferry.mjs')).toEqual(expect.arrayContaining(['commander', 'zod', 'age-encryption']));
    expect(inBundle('index.mjs')).toEqual(expect.arrayContaining(['@aws-sdk/client-sts', 'undici']));
    expect(inBundle('index.mjs')).not.toContain('commander');
  });

  it('lists nothing that only builds or tests', () => {
    const names = components.map(({ name }) => name);
    expect(names.filter((name) => ['vitest', 'typescript', 'esbuild', 'knip'].includes(String(name)))).toEqual([]);
    expect(JSON.stringify(components)).not.toContain('cdx:npm:package:development');
  });

  it('names what the operator stands on: Node, and the images that its own is built on', () => {
    const others = components.filter(({ type }) => type !== 'library');
    expect(others.map(({ type }) => type)).toEqual(['platform', 'container', 'container']);
  });

  it('says what depends on what, without what is not listed', () => {
    const listed = new Set(components.map((component) => component['bom-ref']));
    const named = dependencies.flatMap(({ dependsOn = [] }) => dependsOn);
    expect(named.length).toBeGreaterThan(50);
    expect(named.filter((ref) => !listed.has(ref))).toEqual([]);
  });
});
