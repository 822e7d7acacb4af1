import { describe, expect, it } from 'vitest';
import { KubeError } from '../kube/errors.ts';
import { ManagerError } from '../managers/errors.ts';
import { CliError } from './context.ts';
import { describeFailure } from './failure.ts';

const running = new AbortController().signal;

function kubeError(status: number, reason: string, detail: string): KubeError {
  const subject = { verb: 'create', resource: 'secretversions.keyferry.io', object: 'shop/db-1', sensitive: false };
  return new KubeError({ subject, status, reason, detail });
}

describe('a failure is told', () => {
  it.each<readonly [string, Error, string, number]>([
    ['as the command says it', new CliError('there is no secret db', 2), 'there is no secret db', 2],
    [
      'as the manager says it',
      new ManagerError('NoVersion', 'secret db has no version'),
      'secret db has no version',
      1,
    ],
    [
      'in the words of our own policy',
      kubeError(
        403,
        'Forbidden',
        "x is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: ann may not put secret db",
      ),
      'ann may not put secret db',
      1,
    ],
    [
      'in the words of the API server',
      kubeError(403, 'Forbidden', 'ann cannot create'),
      'cannot create secretversions.keyferry.io shop/db-1: 403 Forbidden: ann cannot create',
      1,
    ],
    [
      'by the quota that is in the way',
      kubeError(
        403,
        'Forbidden',
        'secretversions.keyferry.io "db-1" is forbidden: exceeded quota: secrets, requested: count/secretversions.keyferry.io=1, used: count/secretversions.keyferry.io=20, limited: count/secretversions.keyferry.io=20',
      ),
      'ResourceQuota secrets of namespace shop allows no more secretversions.keyferry.io (at most 20): delete what nobody needs, or have the quota raised',
      1,
    ],
    [
      'by the quota also where the end of the sentence is cut off',
      kubeError(
        403,
        'Forbidden',
        'secretversions.keyferry.io "db-1" is forbidden: exceeded quota: secrets, requested: cou...',
      ),
      'ResourceQuota secrets of namespace shop allows no more secretversions.keyferry.io: delete what nobody needs, or have the quota raised',
      1,
    ],
    [
      'with what to do where the kind is not there',
      kubeError(404, 'NotFound', 'the server could not find the requested resource'),
      'this cluster does not have Keyferry: its CRDs are not installed',
      1,
    ],
    ['with what to do where nobody is logged in', kubeError(401, 'Unauthorized', ''), /log in again/.source, 1],
  ])('%s', (_how, error, message, exitCode) => {
    const told = describeFailure(error, running);
    expect(told).toEqual({
      message: expect.stringMatching(new RegExp(message.replaceAll(/[.()]/g, '\\$&'))),
      exitCode,
    });
    expect(told.message).not.toContain('\n');
  });

  it('without its own words, which can quote a value, where it is none of ours', () => {
    const { message } = describeFailure(new SyntaxError('Unexpected token in "canary-3f9a77c1"'), running);
    expect(message).toContain('SyntaxError');
    expect(message).not.toContain('canary');
    expect(message).not.toContain('\n');
  });

  it('as interrupted after Ctrl-C', () => {
    expect(describeFailure(new Error('aborted'), AbortSignal.abort())).toEqual({
      message: 'interrupted',
      exitCode: 130,
    });
  });
});
