import { embeddedNameMistake, foldName } from '../../api/v1/embedded-name.ts';

/** A secret in the cluster, by the name that the source of an embedded manager knows it by. */
export interface EmbeddedName {
  readonly namespace: string;
  /** In lower case. */
  readonly name: string;
}

/** `<namespace>/<name in lower case>`. */
export function fullEmbeddedName(namespace: string, name: string): string {
  return `${namespace}/${foldName(name)}`;
}

/** The inverse of `fullEmbeddedName`; undefined for what names no namespace. */
export function parseEmbeddedName(full: string): EmbeddedName | undefined {
  const slash = full.indexOf('/');
  if (slash < 1) return undefined;
  return { namespace: full.slice(0, slash), name: foldName(full.slice(slash + 1)) };
}

/** What a manager's spec says of secrets kept in the cluster. */
interface EmbeddedSpec {
  readonly namespace?: string | undefined;
}

/**
 * The one namespace that a manager keeps all secrets in; undefined where each asker's are in its own. `namespace` is that of the manager object, empty for a
 * cluster manager.
 */
export function sharedHome(embedded: EmbeddedSpec, namespace: string): string | undefined {
  return namespace === '' ? embedded.namespace : namespace;
}

/** In which namespace a manager keeps the secrets of an asker's namespace; undefined where it keeps none in the cluster. */
export function homeOf(
  spec: { readonly embedded?: EmbeddedSpec | undefined },
  namespace: string,
  asker: string,
): string | undefined {
  return spec.embedded === undefined ? undefined : (sharedHome(spec.embedded, namespace) ?? asker);
}

/** What a secret that is not there is told as. A name that no secret can have stands in no command: people copy those. */
export function missingSecret(namespace: string, name: string): string {
  const mistake = embeddedNameMistake(name);
  if (mistake !== undefined) return `no secret kept in the cluster can have this name: it ${mistake}`;
  const command = `keyferry put ${JSON.stringify(name)} --create -n ${namespace}`;
  return `there is no secret of this name in namespace ${namespace}. To create it: ${command}`;
}
