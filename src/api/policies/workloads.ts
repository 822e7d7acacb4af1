import { annotations } from '../v1/names.ts';
import { celString, celStrings } from '../v1/parts.ts';
import { rolledPlurals, rolledResources } from '../v1/workload-resources.ts';
import { auditsObject } from './expressions.ts';
import type { Policy, PolicyOptions, ResourceRule, Variable } from './policy.ts';

const operations = ['CREATE', 'UPDATE', 'DELETE'] as const;
const marker = `key.startsWith(${celString(annotations.marker)})`;
const words = `${annotations.marker}* in the pod template`;

/** Of the metadata, the API server itself writes these with every update. Annotations are compared one by one. */
const metadataOfTheServer = ['managedFields', 'resourceVersion', 'generation', 'annotations'];

/** The API server counts the templates of a DaemonSet here. */
const templateGeneration = 'deprecated.daemonset.template.generation';

/** One map of the object, whose fields are compared with what they were. */
interface Level {
  readonly name: string;
  /** CEL, of one of the two objects; `when` is the suffix of the variables that are about it. */
  readonly of: (object: 'object' | 'oldObject', when: When) => string;
  /** CEL, of a `key` that is not compared here: there is another level for it, or it is free. */
  readonly free: string;
  /** CEL: where it stands, with a dot at the end. */
  readonly path: string;
}

type When = 'Now' | 'Was';

function part(level: string, field: string): Level['of'] {
  return (_object, when) => fieldOf(`variables.${level}${when}`, field);
}

function fieldOf(map: string, field: string): string {
  return `has(${map}.${field}) ? ${map}.${field} : {}`;
}

const levels: readonly Level[] = [
  { name: 'object', of: (object) => `dyn(${object})`, free: `key in ['metadata', 'spec']`, path: `''` },
  {
    name: 'metadata',
    of: (object) => `dyn(${object}).metadata`,
    free: `key in ${celStrings(metadataOfTheServer)}`,
    path: `'metadata.'`,
  },
  {
    name: 'annotations',
    of: part('metadata', 'annotations'),
    free: `request.resource.resource == '${rolledResources.DaemonSet.plural}' && key == '${templateGeneration}'`,
    path: `'metadata.annotations.'`,
  },
  {
    name: 'spec',
    of: (object) => `dyn(${object}).spec`,
    // An Argo Rollout may take its template from elsewhere; then it gets none.
    free: `key == (variables.cron ? 'jobTemplate' : 'template') && key in variables.specWas`,
    path: `'spec.'`,
  },
  { name: 'jobTemplate', of: part('spec', 'jobTemplate'), free: `key == 'spec'`, path: `'spec.jobTemplate.'` },
  { name: 'jobSpec', of: part('jobTemplate', 'spec'), free: `key == 'template'`, path: `'spec.jobTemplate.spec.'` },
  {
    name: 'template',
    of: (_object, when) =>
      `variables.cron ? (${fieldOf(`variables.jobSpec${when}`, 'template')}) : (${fieldOf(`variables.spec${when}`, 'template')})`,
    free: `key == 'metadata'`,
    path: `variables.place + '.'`,
  },
  {
    name: 'templateMetadata',
    of: part('template', 'metadata'),
    free: `key == 'annotations'`,
    path: `variables.place + '.metadata.'`,
  },
  {
    name: 'templateAnnotations',
    of: part('templateMetadata', 'annotations'),
    free: marker,
    path: `variables.place + '.metadata.annotations.'`,
  },
];

/** Both states of a level, and the paths in which they differ. CEL makes no map from a map, so that each is compared by itself. */
function variablesOf({ name, of, free, path }: Level): readonly Variable[] {
  const [now, was] = [`variables.${name}Now`, `variables.${name}Was`];
  const changed = `${now}.map(key, !(${free}) && !(key in ${was} && ${now}[key] == ${was}[key]), ${path} + key)`;
  const gone = `${was}.map(key, !(${free}) && !(key in ${now}), ${path} + key)`;
  return [
    { name: `${name}Now`, expression: of('object', 'Now') },
    { name: `${name}Was`, expression: of('oldObject', 'Was') },
    { name: `${name}Changed`, expression: `${changed} + ${gone}` },
  ];
}

/** Pins what the operator may do with workloads, whatever its roles allow: it sets its own annotations in their pod templates, no more. */
export function workloadsPolicy({ operator }: PolicyOptions): Policy {
  const workload = `request.resource.resource + ' ' + request.name`;
  return {
    name: 'keyferry-workloads',
    rules: rolledPlurals.map(([group, plurals]) => withSubresources(group, plurals)),
    conditions: [{ name: 'operator', expression: `request.userInfo.username == ${celString(operator)}` }],
    variables: [
      // The subresource is no empty text on the resource itself: it is not there.
      { name: 'update', expression: `request.operation == 'UPDATE' && !has(request.subResource)` },
      { name: 'cron', expression: `request.resource.resource == '${rolledResources.CronJob.plural}'` },
      { name: 'place', expression: `variables.cron ? 'spec.jobTemplate.spec.template' : 'spec.template'` },
      ...levels.flatMap(variablesOf),
      { name: 'changed', expression: levels.map(({ name }) => `variables.${name}Changed`).join(' + ') },
      {
        name: 'lost',
        expression: `variables.templateAnnotationsWas.filter(key, ${marker} && !(key in variables.templateAnnotationsNow))`,
      },
    ],
    validations: [
      {
        expression: 'variables.update',
        messageExpression: `'the operator may neither create nor delete ' + request.resource.resource + ', nor use their subresources (status, scale): it only sets annotations ${words}'`,
      },
      {
        expression: '!variables.update || variables.changed.size() == 0',
        messageExpression: `'the operator may set only annotations ${words}, and would change more of ' + ${workload} + ': ' + variables.changed.join(', ')`,
      },
      {
        expression: '!variables.update || variables.lost.size() == 0',
        messageExpression: `'the operator may not remove annotations ${words}, and would from ' + ${workload} + ': ' + variables.lost.join(', ')`,
      },
    ],
    auditAnnotations: auditsObject,
  };
}

/** Pins what the operator may do with pods and what makes them by itself: delete a pod that a rollout of its own left behind, no more. */
export function podsPolicy({ operator }: PolicyOptions): Policy {
  const pod = `'the operator may not delete pod ' + request.name + `;
  return {
    name: 'keyferry-pods',
    rules: [
      { ...withSubresources('', ['pods']), operations: [...operations, 'CONNECT'] },
      withSubresources('apps', ['replicasets']),
      withSubresources('batch', ['jobs']),
    ],
    conditions: [{ name: 'operator', expression: `request.userInfo.username == ${celString(operator)}` }],
    variables: [
      {
        name: 'deletion',
        expression: `request.resource.resource == 'pods' && request.operation == 'DELETE' && !has(request.subResource)`,
      },
      { name: 'pod', expression: 'dyn(oldObject)' },
    ],
    validations: [
      {
        expression: 'variables.deletion',
        messageExpression: `'the operator may not ' + request.operation + ' ' + request.resource.resource + (has(request.subResource) ? '/' + request.subResource : '') + ': of all that, it may only delete pods that are stuck'`,
      },
      {
        expression: `!variables.deletion || (has(variables.pod.metadata.ownerReferences) && variables.pod.metadata.ownerReferences.exists(owner, owner.kind == 'StatefulSet' && has(owner.controller) && owner.controller))`,
        messageExpression: `${pod}': it belongs to no StatefulSet, and others replace their pods themselves'`,
      },
      {
        expression: `!variables.deletion || !has(variables.pod.status.conditions) || !variables.pod.status.conditions.exists(condition, condition.type == 'Ready' && condition.status == 'True')`,
        messageExpression: `${pod}': it is ready, and nothing waits for it'`,
      },
      {
        expression: `!variables.deletion || (has(variables.pod.metadata.annotations) && variables.pod.metadata.annotations.exists(key, ${marker}))`,
        messageExpression: `${pod}': it carries no annotation ${annotations.marker}*, so that no rollout of the operator made it'`,
      },
    ],
    auditAnnotations: auditsObject,
  };
}

function withSubresources(group: string, plurals: readonly string[]): ResourceRule {
  return { apiGroups: [group], resources: plurals.flatMap((plural) => [plural, `${plural}/*`]), operations };
}
