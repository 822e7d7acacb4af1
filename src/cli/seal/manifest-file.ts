import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { secretObjectName } from '../../api/v1/embedded-name.ts';
import { group } from '../../api/v1/names.ts';
import { CliError } from '../context.ts';

/** What stands in a file about one secret. */
export interface SecretInFile {
  /** Undefined where the file leaves it to whoever applies it. */
  readonly namespace: string | undefined;
  readonly type: string | undefined;
  /** The highest number in it; 0 where there is none. */
  readonly lastVersion: number;
  /** What the newest version is sealed to. */
  readonly keys: readonly string[];
  /** Those of them that no version before it is sealed to, where there is one. */
  readonly newKeys: readonly string[];
}

const metadata = z.object({ name: z.string(), namespace: z.string().optional() });
const secretSchema = z.object({
  kind: z.literal('VersionedSecret'),
  metadata,
  spec: z
    .object({ type: z.string().optional(), sealing: z.string().optional() })
    .nullish()
    .transform((spec) => spec ?? {}),
});
const versionSchema = z.object({
  kind: z.literal('SecretVersion'),
  metadata,
  spec: z.object({
    secret: z.string(),
    version: z.int(),
    sealed: z.array(z.object({ key: z.string() })).default([]),
  }),
});

/** Finds a secret in a file of several documents. @throws CliError, in words of ours */
export function findInFile(text: string, name: string, file: string): SecretInFile {
  const objects = documentsOf(text, file);
  const object = secretObjectName(name);
  const secrets = objects.flatMap((document) => secretSchema.safeParse(document).data ?? []);
  const [found, ...others] = secrets.filter((secret) => secret.metadata.name === object);
  if (found === undefined) {
    throw new CliError(
      `${file} has no VersionedSecret ${object}. Make the first version without --append, and keep what is printed`,
    );
  }
  if (others.length > 0)
    throw new CliError(`${file} has more than one VersionedSecret ${object}: give each its own file`);
  if (found.spec.sealing !== 'Portable') {
    throw new CliError(
      `VersionedSecret ${object} in ${file} does not say sealing: Portable, so a value that was sealed offline is refused. It can not be changed later: make another secret`,
    );
  }
  const versions = objects
    .flatMap((document) => versionSchema.safeParse(document).data ?? [])
    .filter(({ spec }) => spec.secret === object)
    .toSorted((a, b) => b.spec.version - a.spec.version);
  const [newest, ...older] = versions.map(({ spec }) => spec.sealed.map(({ key }) => key));
  const before = new Set(older.flat());
  return {
    namespace: found.metadata.namespace,
    type: found.spec.type,
    lastVersion: versions[0]?.spec.version ?? 0,
    keys: newest ?? [],
    newKeys: older.length === 0 ? [] : (newest ?? []).filter((key) => !before.has(key)),
  };
}

/** The objects of our group in a text. @throws CliError where it is no YAML: the parser's own words would quote it */
function documentsOf(text: string, file: string): readonly unknown[] {
  const objectSchema = z.looseObject({ apiVersion: z.string() });
  return parsedDocuments(text, file).filter((document) =>
    objectSchema.safeParse(document).data?.apiVersion.startsWith(`${group}/`),
  );
}

function parsedDocuments(text: string, file: string): readonly unknown[] {
  try {
    return parseAllDocuments(text).map((document): unknown => {
      const json: unknown = document.errors.length > 0 ? notYaml(file) : document.toJS();
      return json;
    });
  } catch {
    return notYaml(file);
  }
}

function notYaml(file: string): never {
  throw new CliError(`${file} is not valid YAML: nothing was changed`);
}

/**
 * The text with one more document at its end. What stood there stays byte for byte.
 * @throws CliError where the end of the file would swallow it
 */
export function withDocument(text: string, document: string, file: string): string {
  const ended = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  const next = `${ended}---\n${document}`;
  const count = (all: string): number => parsedDocuments(all, file).filter((one) => one !== null).length;
  if (count(next) !== count(text) + 1) {
    throw new CliError(`the end of ${file} takes no further document: end its last one properly. Nothing was changed`);
  }
  return next;
}
