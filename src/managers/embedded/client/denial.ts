import { group } from '../../../api/v1/names.ts';
import { secretReferences, secretReveals, secretVersions, versionedSecrets } from '../../../api/v1/resources.ts';

/** What RBAC says, which knows rights by resource only. Cut off before its end it is not understood: the namespace could be another. */
const rbacForm = new RegExp(
  String.raw`User "(?<user>[^"]+)" cannot (?<verb>[a-z]+) resource "(?<resource>[a-z]+)" in API group "${group.replaceAll('.', String.raw`\.`)}" (?:in the namespace "(?<namespace>[^"]+)"|at the cluster scope)`,
);

/** Who is not let through by RBAC. */
interface Denied {
  readonly user: string;
  readonly verb: string;
  readonly resource: string;
  /** Empty at the scope of the cluster. */
  readonly namespace: string;
  /** Of the object; empty for a list. */
  readonly name: string;
}

/** What gives a right: a verb of ours on one secret, or a role of ours. */
type Remedy = { readonly grant: 'put' | 'access' | 'destroy'; readonly secret: string } | { readonly role: string };

/**
 * Who may not do what, and what to ask for, where RBAC answers before our policies can say it: `ann may not put secret db in namespace shop. Ask for: ...`.
 * Undefined for another message.
 * @param object the name of the object that the call was about
 * @param secret the name of the secret's object, where the call knows it and its object's name does not say it
 */
export function denialText(message: string, object: string, secret?: string): string | undefined {
  const { user, verb, resource, namespace = '' } = rbacForm.exec(message)?.groups ?? {};
  if (user === undefined || verb === undefined || resource === undefined) return undefined;
  const denied = { user, verb, resource, namespace, name: object };
  const remedy = remedyOf(denied, secret);
  if (remedy === undefined) return undefined;
  return 'grant' in remedy ? grantText(denied, remedy.grant, remedy.secret) : roleText(denied, remedy.role);
}

/** Undefined where no role for people has it, or nobody knows on which secret. */
function remedyOf({ verb, resource, name }: Denied, secret: string | undefined): Remedy | undefined {
  const reads = ['get', 'list', 'watch'].includes(verb);
  if (resource === secretReveals.plural) return secret === undefined ? undefined : { grant: 'access', secret };
  if (reads) return { role: 'keyferry-view' };
  if (resource === secretReferences.plural) return { role: 'keyferry-edit' };
  if (name === '') return undefined;
  if (resource === secretVersions.plural) {
    return { grant: verb === 'create' ? 'put' : 'destroy', secret: name.replace(/-\d+$/, '') };
  }
  if (resource !== versionedSecrets.plural) return undefined;
  // Rights by name do not count for what has no name yet, so a grant does not let anybody make a secret.
  return verb === 'delete' ? { grant: 'destroy', secret: name } : { role: 'keyferry-member' };
}

/** In the words of our policies. */
function grantText({ user, namespace }: Denied, verb: string, secret: string): string {
  const command = `keyferry grant ${verb} ${secret} --to ${quoted(user)} -n ${namespace}`;
  return `${user} may not ${verb} secret ${secret} in namespace ${namespace}. Ask for: ${command}`;
}

function roleText({ user, verb, resource, namespace, name }: Denied, role: string): string {
  const [kind, flag] = namespace === '' ? ['clusterrolebinding', ''] : ['rolebinding', ` -n ${namespace}`];
  const what = name === '' ? resource : `${resource} ${name}`;
  const binding = `${role}-${user.replaceAll(/[^\w.@:-]+/g, '-')}`;
  const command = `kubectl create ${kind} ${binding} --clusterrole=${role} --user=${quoted(user)}${flag}`;
  return `${user} may not ${verb} ${what}${placeOf(namespace, name)}. Ask for: ${command}`;
}

function placeOf(namespace: string, name: string): string {
  if (namespace !== '') return ` in namespace ${namespace}`;
  return name === '' ? ' in all namespaces' : '';
}

/** Names of users are free text, and the command is there to be copied. */
function quoted(user: string): string {
  return /^[\w.@:/-]+$/.test(user) ? user : `'${user.replaceAll("'", String.raw`'\''`)}'`;
}
