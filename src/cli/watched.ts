/** Where the operator works, by the status of a manager; undefined: in all namespaces, or it is not known. */
export type WatchedNamespaces = readonly string[] | undefined;

/** So many are named. */
const MOST_NAMED = 5;

/** `the operator watches only shop, cart`. */
export function watchedText(watched: readonly string[]): string {
  const more = watched.length > MOST_NAMED ? ` and ${watched.length - MOST_NAMED} more` : '';
  return `the operator watches only ${watched.slice(0, MOST_NAMED).join(', ')}${more}`;
}

/** Why nothing will happen in a namespace, where that is known. */
export function unwatched(watched: WatchedNamespaces, namespace: string): string | undefined {
  if (watched === undefined || watched.length === 0 || watched.includes(namespace)) return undefined;
  return `${watchedText(watched)}, so nothing happens in namespace ${namespace}: ask for it to be added to watchNamespaces`;
}
