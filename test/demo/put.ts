import { PutSecretValueCommand, CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

const usage = `Usage: node test/demo/put.ts <secret> <value> [<version id>]

Puts a new version of a secret into the AWS Secrets Manager that AWS_ENDPOINT_URL, AWS_REGION and the other usual variables name, as
"aws secretsmanager put-secret-value" does, and creates the secret where there is none. Prints the id of the version.
`;

async function put(name: string, value: string, id: string | undefined): Promise<string | undefined> {
  const client = new SecretsManagerClient({});
  const version = id === undefined ? {} : { ClientRequestToken: id };
  try {
    const update = new PutSecretValueCommand({ SecretId: name, SecretString: value, ...version });
    return (await client.send(update)).VersionId;
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ResourceNotFoundException') throw error;
    const creation = new CreateSecretCommand({ Name: name, SecretString: value, ...version });
    return (await client.send(creation)).VersionId;
  }
}

const [name, value, id] = process.argv.slice(2);
if (name === undefined || value === undefined) {
  process.stderr.write(usage);
  process.exitCode = 2;
} else {
  process.stdout.write(`${await put(name, value, id)}\n`);
}
