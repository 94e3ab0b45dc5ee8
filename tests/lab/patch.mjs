// Lets the installed copy of oidc-provider offer the bare `response_type=token`, which it knows and refuses at start
// since OAuth 2.1 drops it: the lab needs what is out there. Usage: node patch.mjs NODE_MODULES
import fs from 'node:fs';
import path from 'node:path';

const file = path.join(process.argv[2], 'oidc-provider/lib/helpers/configuration.js');
const refusal = "        || (parsed.has('token') && parsed.size === 1)\n";
const text = fs.readFileSync(file, 'utf8');
if (!text.includes(refusal)) throw new Error(`${file}: not the oidc-provider that the lab knows; see package.json`);
fs.writeFileSync(file, text.replace(refusal, ''));
