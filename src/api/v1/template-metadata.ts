import { z } from 'zod';
import { celString, map, type Rule, text } from './parts.ts';

/** Domains whose labels and annotations make Kubernetes, Keyferry, Helm or Argo CD act. No reference may set them on a Secret. */
const reservedDomains = ['kubernetes.io', 'k8s.io', 'keyferry.io', 'helm.sh', 'argocd.argoproj.io'] as const;

/** Matches a label's or annotation's key in a reserved domain or below one. RE2. */
export const reservedKeyForm = `^([^/]*\\.)?(${reservedDomains.map((domain) => domain.replaceAll('.', '\\.')).join('|')})/`;

const dnsLabel = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const qualifiedName = `^(${dnsLabel}(\\.${dnsLabel})*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$`;

/** A rule about every key (`k`) of a map that says which key breaks it. */
function everyKey(wrong: string, says: string): Rule {
  return {
    rule: `!self.exists(k, ${wrong})`,
    messageExpression: `'"' + self.filter(k, ${wrong})[0] + '" ${says}'`,
  };
}

const commonRules: readonly Rule[] = [
  everyKey(`!k.matches(${celString(qualifiedName)})`, 'is not a valid key: write it like team or example.com/team'),
  everyKey(
    `k.matches(${celString(reservedKeyForm)})`,
    `is reserved: keys of ${reservedDomains.join(', ')} and their subdomains cannot be set. Use a domain of your own: example.com/team`,
  ),
  everyKey(
    "self[k].contains('{{')",
    'has a template in its value: labels and annotations are literal, only template.data is rendered',
  ),
];

export const templateMetadataSchema = z
  .object({
    labels: map(text({ description: 'Value of the label.', maxLength: 63, minLength: 0 }), {
      description: 'Labels of the Secret, for example team: shop. Literal.',
      maxProperties: 50,
      rules: [
        ...commonRules,
        everyKey(
          `!self[k].matches(${celString('^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$')})`,
          'has a value that no label can have: use letters, digits, -, _ and ., for example team: shop',
        ),
      ],
    }).optional(),
    annotations: map(text({ description: 'Value of the annotation.', maxLength: 4096, minLength: 0 }), {
      description: 'Annotations of the Secret. Literal.',
      maxProperties: 50,
      rules: commonRules,
    }).optional(),
  })
  .describe("The Secret's own labels and annotations.");
