import { fromNodeProviderChain } from '@aws-sdk/credential-providers';
import { ManagerError } from '../errors.ts';
import type { CredentialProvider } from './credentials.ts';

/** How the words of messages name them. */
export const person = 'your own AWS credentials';

/** The credentials of whoever runs the command, found as the AWS CLI finds them: environment, profile (`AWS_PROFILE`), single sign-on, web identity. */
export function personalCredentials(region: string | undefined): CredentialProvider {
  const chain = fromNodeProviderChain(region === undefined ? {} : { clientConfig: { region } });
  return async () => {
    try {
      return await chain();
    } catch {
      // The links' own words name files and commands of yours.
      const text =
        'there are no AWS credentials of yours that work: aws configure, or aws sso login; AWS_PROFILE chooses a profile';
      throw new ManagerError('AccessDenied', text);
    }
  };
}
