import { dirname, normalize } from 'node:path/posix';

/** A file of `src`, with its path from the root of the repository. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** What each layer may import besides itself. Files that stand directly in `src` are on top and may import every layer. */
const layers: Readonly<Record<string, readonly string[]>> = {
  api: [],
  runtime: [],
  kube: ['runtime'],
  managers: ['api', 'kube', 'runtime'],
  controllers: ['managers', 'api', 'kube', 'runtime'],
  cli: ['managers', 'api', 'kube', 'runtime'],
  operator: ['controllers', 'managers', 'api', 'kube', 'runtime', 'config.ts'],
};

/** Packages that only one folder may know of. */
const homes: readonly { readonly package: RegExp; readonly home: string }[] = [
  { package: /^@aws-sdk\//, home: 'src/managers/aws/' },
  { package: /^@kubernetes\/client-node/, home: 'src/kube/' },
];

const maxLines = { source: 300, test: 500 };

/** Where the environment enters: `main.ts` hands it to `config.ts`, which reads it; `keyferry.ts` hands it to the command. */
const environmentReaders: ReadonlySet<string> = new Set(['src/main.ts', 'src/config.ts', 'src/keyferry.ts']);

/** Gives one line for each way in which the files break the rules that hold the code together. */
export function violations(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap((file) => [
    ...importsOf(file.text).flatMap((specifier) => importViolations(file.path, specifier)),
    ...lengthViolations(file),
    ...environmentViolations(file),
  ]);
}

/** The modules that a text imports or exports from, statically or not. */
export function importsOf(text: string): readonly string[] {
  const statement =
    /^(?:import|export)\b[^;'"]*?\bfrom\s*['"]([^'"]+)['"]|^import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;
  return [...text.matchAll(statement)].map(([, from, bare, dynamic]) => from ?? bare ?? dynamic ?? '');
}

function importViolations(path: string, specifier: string): readonly string[] {
  if (!specifier.startsWith('.')) {
    const wrong = homes.filter((rule) => rule.package.test(specifier) && !path.startsWith(rule.home) && !isTest(path));
    return wrong.map(({ home }) => `${path} imports ${specifier}, which only ${home} may.`);
  }
  const target = normalize(`${dirname(path)}/${specifier}`);
  if (!target.startsWith('src/')) {
    return isTest(path) ? [] : [`${path} imports ${target}, which is no part of the product.`];
  }
  const [, from = ''] = path.split('/');
  const [, to = ''] = target.split('/');
  const allowed = layers[from];
  if (allowed === undefined) {
    return path.split('/').length === 2
      ? []
      : [`${path} stands in a folder that is no layer. Give it a place in test/architecture.ts.`];
  }
  return from === to || allowed.includes(to) ? [] : [`${path} imports ${target}: ${from} may import ${list(allowed)}.`];
}

function lengthViolations({ path, text }: SourceFile): readonly string[] {
  const lines = text.split('\n').filter((line) => !/^\s*(?:$|\/\/|\/\*|\*)/.test(line)).length;
  const limit = isTest(path) ? maxLines.test : maxLines.source;
  return lines > limit ? [`${path} has ${lines} lines, comments aside: ${limit} are enough. Split it.`] : [];
}

function environmentViolations({ path, text }: SourceFile): readonly string[] {
  const reads = /\bprocess\s*\.\s*env\b|\bprocess\s*\[|\{[^}]*\benv\b[^}]*\}\s*=\s*process\b/.test(text);
  return reads && !environmentReaders.has(path) && !isTest(path)
    ? [`${path} reads the environment: take a setting from config.ts.`]
    : [];
}

function isTest(path: string): boolean {
  return path.endsWith('.test.ts');
}

function list(names: readonly string[]): string {
  return names.length === 0 ? 'nothing of ours' : names.join(', ');
}
