/*
 * openapi.mjs -- the API's document against the official JSON Schema of OpenAPI, by a validator that nobody here wrote:
 * URL. A line with the version; exit 1 and what is wrong otherwise.
 */
import { Validator } from '@seriousme/openapi-schema-validator';

const document = await (await fetch(process.argv[2])).json();
const validator = new Validator();
const result = await validator.validate(document);
if (!result.valid) {
    console.error(JSON.stringify(result.errors, null, 2));
    process.exit(1);
}
validator.resolveRefs(); /* throws where a $ref leads nowhere */
console.log(`valid: OpenAPI ${validator.version}`);
