import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { readyReasons, rolledOutReasons } from '../../src/api/v1/conditions.ts';
import { consumerStates } from '../../src/api/v1/rollout.ts';
import { parseConfig } from '../../src/config.ts';
import { importsOf } from '../architecture.ts';
import { runCommand } from '../cluster/command.ts';
import { anchorsOf, codeIn, readPage, readPages, tableUnder } from './pages.ts';

const root = join(import.meta.dirname, '..', '..');
const pages = readPages();
const troubleshooting = readPage('docs/troubleshooting.md');

describe('the pages', () => {
  it.each(pages)('$path links only to what there is', (page) => {
    // Code may look like a link.
    const prose = page.text.replaceAll(/^ *```.*?^ *```$/gms, '').replaceAll(/`[^`\n]*`/g, '');
    const links = Array.from(prose.matchAll(/\]\(([^)\s]+)\)/g), ([, link = '']) => link);
    const broken = links.filter((link) => !link.startsWith('https://') && !leadsSomewhere(page.path, link));
    expect(broken).toEqual([]);
  });

  it.each(pages)('$path has YAML that can be read', (page) => {
    const texts = page.blocks.filter(({ language }) => language === 'yaml').map(({ text }) => text);
    const errors = texts.flatMap((text) => parseAllDocuments(text).flatMap((document) => document.errors));
    expect(errors).toEqual([]);
  });

  it('have commands that a shell can read', async () => {
    const scripts = pages.flatMap(({ blocks }) => blocks).filter(({ language }) => language === 'sh');
    expect(scripts.length).toBeGreaterThan(10);
    for (const { text } of scripts) await runCommand('sh', ['-n'], { input: text });
  }, 60_000);

  it('mark as not run only what needs more than a cluster', () => {
    const marked = pages
      .flatMap(({ blocks }) => blocks)
      .filter(({ language, note }) => language === 'sh' && note !== '');
    expect(marked.map(({ note }) => note)).toEqual(marked.map(() => 'no-run'));
    const others = marked.filter(({ text }) => !/^(make build|aws |node .*operator\.mjs|curl )/.test(text));
    expect(others).toEqual([]);
  });
});

describe('the page on installing', () => {
  it('lists every flag with its default', () => {
    const outcome = parseConfig({ argv: ['--help'], env: {}, identity: 'test', version: '0' });
    const help = 'text' in outcome ? outcome.text : '';
    const flags = help.matchAll(/^ {2}(--[a-z-]+).*\n((?: {6}.*\n?)+)/gm);
    const wanted = Array.from(flags, ([, flag = '', lines = '']) => {
      const [, fallback = ''] = /default: ([^)]*)\)/.exec(lines.replaceAll(/\s+/g, ' ')) ?? [];
      return [flag, fallback] as const;
    }).filter(([flag]) => flag !== '--version');
    const listed = tableUnder(readPage('docs/install.md'), 'Flags');
    expect(listed.map(([flag = '']) => codeIn(flag)[0])).toEqual(wanted.map(([flag]) => flag));
    for (const [index, [, fallback]] of wanted.entries()) {
      expect(fallback).toContain(listed[index]?.[1]?.replaceAll('`', '') ?? '?');
    }
  });
});

it('the page on installing removes what is installed, and so begins no removal with an install', () => {
  const removals = readPage('docs/install.md').blocks.filter(({ text }) => text.includes('helm uninstall'));

  expect(removals).toHaveLength(2);
  for (const { text } of removals) expect(text).not.toContain('helm install');
});

describe('the page on troubleshooting', () => {
  const conditions = [
    { condition: 'Ready', reasons: readyReasons },
    { condition: 'RolledOut', reasons: rolledOutReasons },
  ];

  it.each(conditions)('has a section for every reason of $condition, with a message', ({ condition, reasons }) => {
    const sections = sectionsUnder(troubleshooting.text, `Reasons of ${condition}`);
    expect(sections.map(([heading]) => heading)).toEqual([...reasons]);
    expect(sections.filter(([, text]) => !/^ {4}\S/m.test(text))).toEqual([]);
  });

  it('shows refusals in the words of the policies and the schemas', () => {
    const files = globSync(['crds/*.yaml', 'policies/*.yaml'], { cwd: root });
    const generated = files.map((file) => readFileSync(join(root, file), 'utf8')).join('\n');
    const shown = tableUnder(troubleshooting, 'Refused by the API server').flatMap(([words = '']) => codeIn(words));
    const ours = shown.filter((words) => !/^(some validation rules|unknown field)/.test(words));
    const parts = ours.flatMap((words) => words.split('...')).filter((part) => part.trim() !== '');
    expect(parts.length).toBeGreaterThan(5);
    expect(parts.filter((part) => !generated.includes(part.trim()))).toEqual([]);
  });

  it('explains every warning and error that has words of its own for people', () => {
    const files = globSync('src/**/*.ts', { cwd: root }).filter((file) => !/test/.test(file));
    const source = files.map((file) => readFileSync(join(root, file), 'utf8')).join('\n');
    const inSource = new Set(Array.from(source.matchAll(/\.(?:warn|error)\(\s*'([^']*)'/g), ([, message]) => message));
    const explained = tableUnder(troubleshooting, 'The log').flatMap(([message = '']) => codeIn(message));
    expect(explained.filter((message) => !inSource.has(message))).toEqual([]);
    const warnings = Array.from(source.matchAll(/\.warn\(\s*'([^']*)'/g), ([, message]) => message);
    expect(warnings.filter((message) => message !== undefined && !explained.includes(message))).toEqual([]);
  });
});

it('the page on rollouts lists every state of a consumer', () => {
  const listed = tableUnder(readPage('docs/rollouts.md'), 'See how far it is').flatMap(([state = '']) => codeIn(state));
  expect(listed.toSorted()).toEqual(consumerStates.toSorted());
});

describe('the page on dependencies', () => {
  const page = readPage('docs/dependencies.md');
  const listed = (heading: string): ReadonlySet<string> =>
    new Set(tableUnder(page, heading).flatMap(([name = '']) => codeIn(name)));
  const bundled = listed('Dependencies');
  const others = listed('Only for building and testing');
  const manifest = z
    .looseObject({ devDependencies: z.record(z.string(), z.string()) })
    .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));

  it('lists each, and nothing else', () => {
    expect([...bundled, ...others].toSorted()).toEqual(Object.keys(manifest.devDependencies).toSorted());
  });

  it('keeps apart what the product is bundled with, which no install has to bring', () => {
    const files = globSync('src/**/*.ts', { cwd: root }).filter((file) => !/\.test\.ts$|\/testing\//.test(file));
    const imported = files.flatMap((file) => importsOf(readFileSync(join(root, file), 'utf8')));
    const packages = imported.flatMap((name) => /^(?:@[^/]+\/)?[a-z][^/:]*(?=\/|$)/.exec(name)?.[0] ?? []);
    expect(bundled).toEqual(new Set(packages));
    expect(Object.keys(manifest)).not.toContain('dependencies');
  });
});

/** Headings of the third level under one of the second, each with the text below it. */
function sectionsUnder(text: string, heading: string): readonly (readonly [heading: string, text: string])[] {
  const [, section = ''] = new RegExp(`^## ${heading}$(.*?)^## `, 'ms').exec(text) ?? [];
  return Array.from(section.split(/^### /m).slice(1), (part) => {
    const [title = '', ...lines] = part.split('\n');
    return [title, lines.join('\n')];
  });
}

function leadsSomewhere(from: string, link: string): boolean {
  const [file = '', anchor = ''] = link.split('#');
  const path = file === '' ? from : normalize(join(dirname(from), file));
  if (!existsSync(join(root, path))) return false;
  return anchor === '' || anchorsOf(readPage(path)).has(anchor);
}
