import { readFileSync } from 'node:fs';
import openapiTS, { astToString } from 'openapi-typescript';
import { expect, it } from 'vitest';

/** What is sent and answered, without comments: a better sentence or another address over there is no news here. */
function schemas(source: string): string {
  const plain = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\s+/g, ' ');
  return plain.slice(plain.indexOf('schemas: {'), plain.indexOf('responses: never'));
}

it('the types of the wire are those of the back end', async () => {
  const document = readFileSync('../docs/openapi.json', 'utf8');
  const generated = schemas(astToString(await openapiTS(document, { defaultNonNullable: false })));
  expect(generated).toContain('JobRequest');
  expect(schemas(readFileSync('src/wire.ts', 'utf8')) === generated, 'run `npm run types`').toBe(true);
});
