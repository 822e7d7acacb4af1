import type { AccessRule } from '../api/v1/secret-manager.ts';
import { matchesName, matchesSecret, secretPatternMistake } from './secret-pattern.ts';

/** The namespace that wants to read, with its labels. */
export interface AccessAsker {
  readonly namespace: string;
  /** Undefined while they are not known: a selector that looks at any then matches nothing, `NotIn` and `DoesNotExist` included. */
  readonly labels: Readonly<Record<string, string>> | undefined;
}

type Namespaces = AccessRule['namespaces'];
type NamespaceSelector = NonNullable<Namespaces['selector']>;
type Expression = NonNullable<NamespaceSelector['matchExpressions']>[number];

/** The one label that nobody but the API server can set. */
const NAME_LABEL = 'kubernetes.io/metadata.name';

/**
 * Whether one of the rules grants the secret to the asker. Names are as a reference writes them, before the manager's prefix.
 *
 * Within one rule, names and selector must both match where both are given; across rules, one is enough. An empty list or selector, and a
 * rule with a mistake (`ruleMistakes`), match nothing. A selector may look at the namespace's name and at `trustedLabels` only: tenants
 * label their own namespaces.
 */
export function isGranted(
  rules: readonly AccessRule[],
  asker: AccessAsker,
  secret: string,
  trustedLabels: ReadonlySet<string>,
): boolean {
  return rules.some(
    (rule) =>
      matchesNamespaces(rule.namespaces, asker, trustedLabels) &&
      rule.secrets.some((pattern) => matchesSecret(pattern, secret, asker.namespace)),
  );
}

/** A rule that would grant a secret (or a pattern of secrets) to a namespace and to no other, as YAML of one line to put under `access`. */
export function suggestRule(wanted: { readonly namespace: string; readonly secret: string }): string {
  return `{namespaces: {names: [${JSON.stringify(wanted.namespace)}]}, secrets: [${JSON.stringify(wanted.secret)}]}`;
}

/** Everything in the rules that can never match, as sentences for the manager's condition. Empty where all is well. */
export function ruleMistakes(rules: readonly AccessRule[], trustedLabels: ReadonlySet<string>): readonly string[] {
  return rules.flatMap((rule, index) => {
    const where = `access[${index}]`;
    const secrets = rule.secrets.flatMap((pattern) => {
      const mistake = secretPatternMistake(pattern);
      return mistake === undefined ? [] : [`${where}.secrets: ${JSON.stringify(pattern)} ${mistake}`];
    });
    const none = rule.secrets.length === 0 ? [`${where}.secrets is empty: it grants nothing`] : [];
    return [
      ...namespacesMistakes(rule.namespaces, trustedLabels).map((text) => `${where}.${text}`),
      ...none,
      ...secrets,
    ];
  });
}

function matchesNamespaces(namespaces: Namespaces, asker: AccessAsker, trustedLabels: ReadonlySet<string>): boolean {
  const { names, selector } = namespaces;
  if (names === undefined && selector === undefined) return false;
  if (names !== undefined && !names.some((pattern) => matchesName(pattern, asker.namespace))) return false;
  return selector === undefined || matchesSelector(selector, asker, trustedLabels);
}

function matchesSelector(selector: NamespaceSelector, asker: AccessAsker, trustedLabels: ReadonlySet<string>): boolean {
  if (selectorMistakes(selector, trustedLabels).length > 0) return false;
  if (asker.labels === undefined && selectorKeys(selector).some((key) => key !== NAME_LABEL)) return false;
  const labels = Object.entries(selector.matchLabels ?? {});
  return (
    labels.every(([key, value]) => labelOf(asker, key) === value) &&
    (selector.matchExpressions ?? []).every((expression) =>
      matchesExpression(expression, labelOf(asker, expression.key)),
    )
  );
}

function selectorKeys(selector: NamespaceSelector): readonly string[] {
  const expressions = (selector.matchExpressions ?? []).map((expression) => expression.key);
  return [...Object.keys(selector.matchLabels ?? {}), ...expressions];
}

function matchesExpression(expression: Expression, value: string | undefined): boolean {
  const listed = value !== undefined && (expression.values ?? []).includes(value);
  if (expression.operator === 'In') return listed;
  if (expression.operator === 'NotIn') return !listed;
  return (value !== undefined) === (expression.operator === 'Exists');
}

function labelOf(asker: AccessAsker, key: string): string | undefined {
  if (key === NAME_LABEL) return asker.namespace;
  return asker.labels !== undefined && Object.hasOwn(asker.labels, key) ? asker.labels[key] : undefined;
}

function namespacesMistakes(namespaces: Namespaces, trustedLabels: ReadonlySet<string>): readonly string[] {
  const { names, selector } = namespaces;
  const mistakes: string[] = [];
  if (names === undefined && selector === undefined)
    mistakes.push('namespaces names no namespace: give names or a selector');
  if (names !== undefined && names.length === 0) mistakes.push('namespaces.names is empty: ["*"] is every namespace');
  if (selector !== undefined) {
    mistakes.push(...selectorMistakes(selector, trustedLabels).map((text) => `namespaces.selector ${text}`));
  }
  return mistakes;
}

function selectorMistakes(selector: NamespaceSelector, trustedLabels: ReadonlySet<string>): readonly string[] {
  const expressions = selector.matchExpressions ?? [];
  const keys = selectorKeys(selector);
  if (keys.length === 0) return ['is empty: to grant to every namespace, use names: ["*"]'];
  const untrusted = keys.filter((key) => key !== NAME_LABEL && !trustedLabels.has(key));
  return [
    ...untrusted.map(
      (key) =>
        `uses the label ${key}, which tenants may set themselves: list it in --trusted-namespace-labels, or use ${NAME_LABEL}`,
    ),
    ...expressions.flatMap(expressionMistakes),
  ];
}

function expressionMistakes(expression: Expression): readonly string[] {
  const values = expression.values ?? [];
  const takesValues = expression.operator === 'In' || expression.operator === 'NotIn';
  if (takesValues === values.length > 0) return [];
  return [`has ${expression.operator} for ${expression.key} ${takesValues ? 'without' : 'with'} values`];
}
