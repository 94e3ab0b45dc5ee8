// One run of tokentrail over what one holder has, and the proof that it left the evidence as it was.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { tokentrail } from '../places.mjs';

/** Every regular file below `folder`, as paths relative to it, sorted. */
export const files = (folder) =>
  fs.readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath ?? entry.path, entry.name)))
    .sort();

function digest(folder) {
  const hash = createHash('sha256');
  for (const file of files(folder)) hash.update(file).update('\0').update(fs.readFileSync(path.join(folder, file)));
  return hash.digest('hex');
}

/** Scans `folder`; `name` is the holder's. Returns {name, report, untouched, seconds}. */
export function scan(folder, name) {
  const before = digest(folder);
  const start = Date.now();
  const { status, stdout, stderr } = spawnSync(tokentrail, [
    'scan', folder, '--source-root', folder, '--format', 'json', '--reveal', 'values', '--reveal', 'identities',
    '--fail-on', 'never', '--no-progress',
  ], { maxBuffer: 1 << 28, encoding: 'utf8', timeout: 60_000 });
  if (status !== 0 && status !== 3) throw new Error(`tokentrail scan ${name}: exit code ${status}\n${stderr}`);
  const seconds = (Date.now() - start) / 1000;
  return { name, report: JSON.parse(stdout), status, seconds, untouched: digest(folder) === before };
}
