import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

/** A fenced block of a page, without its indentation. */
export interface Block {
  /** What stands first behind the fence: `sh`, `yaml`, ... Empty where nothing does. */
  readonly language: string;
  /** What stands behind that: `no-run` where a command can't be run in a test. */
  readonly note: string;
  readonly text: string;
}

export interface Page {
  /** Path from the root of the project. */
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly Block[];
}

/** Every page that people read. */
export function readPages(): readonly Page[] {
  const paths = ['README.md', 'CHANGELOG.md', ...globSync('docs/**/*.md', { cwd: root }).toSorted()];
  return paths.map(readPage);
}

export function readPage(path: string): Page {
  const text = readFileSync(join(root, path), 'utf8');
  const fences = text.matchAll(/^( *)```([a-z]*) ?([^\n]*)\n(.*?)^ *```$/gms);
  const blocks = Array.from(fences, ([, indent = '', language = '', note = '', body = '']) => ({
    language,
    note,
    text: body.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  }));
  return { path, text, blocks };
}

/** True for manifests of Kubernetes; other YAML belongs to other programs. */
export function isManifest({ language, text }: Block): boolean {
  return language === 'yaml' && text.startsWith('apiVersion: ');
}

/** The rows of the table under a heading: the texts between their bars. */
export function tableUnder(page: Page, heading: string): readonly (readonly string[])[] {
  const section = page.text.split(/^#+ /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) =>
    row
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}

/** What stands between backticks. */
export function codeIn(text: string): readonly string[] {
  return Array.from(text.matchAll(/`([^`]+)`/g), ([, code = '']) => code);
}

/** The anchors that a page's headings have on GitHub. */
export function anchorsOf(page: Page): ReadonlySet<string> {
  const titles = Array.from(page.text.matchAll(/^#+ (.*)$/gm), ([, title = '']) => title);
  return new Set(
    titles.map((title) =>
      title
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}
