// One run of tokentrail over what one holder has, and the proof that it left the evidence as it was.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { lifetime } from '../clients.mjs';
import { evidence, tokentrail } from '../places.mjs';

/** Every regular file below `folder`, as paths relative to it, sorted. */
export const files = (folder) =>
  fs.readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath ?? entry.path, entry.name)))
    .sort();

function digest(folder) {
  const hash = createHash('sha256');
  for (const file of files(folder)) {
    const { mtimeMs, size } = fs.statSync(path.join(folder, file));
    hash.update(`${file}\0${mtimeMs}\0${size}\0`).update(fs.readFileSync(path.join(folder, file)));
  }
  return hash.digest('hex');
}

/** Whether the binary searches free pages when it is asked to; then it is asked to. */
export const residue = execFileSync(tokentrail, ['scan', '--help'], { encoding: 'utf8' }).includes('--residue');

function run(folder, asOf) {
  const { status, stdout, stderr } = spawnSync(tokentrail, [
    'scan', folder, '--source-root', folder, '--format', 'json', '--reveal', 'values', '--reveal', 'identities',
    '--code-lifetime', `${lifetime}`, '--fail-on', 'never', '--no-progress',
    ...(residue ? ['--residue'] : []), ...(asOf ? ['--as-of', asOf] : []),
  ], { maxBuffer: 1 << 28, encoding: 'utf8', timeout: 120_000 });
  if (status !== 0 && status !== 3) throw new Error(`tokentrail scan ${folder}: exit code ${status}\n${stderr}`);
  return JSON.parse(stdout);
}

/**
 * Scans evidence where it lies, with its browser standing still or gone, and keeps a copy as the holder's `name`.
 * Resolves to whether the scan left it as it was.
 */
export function image(folder, name) {
  const before = digest(folder);
  run(folder);
  const untouched = digest(folder) === before;
  fs.cpSync(folder, path.join(evidence, name), { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  return untouched;
}

/** Scans the kept copy of a holder as of one moment, the same for all. Returns {name, report, untouched, seconds}. */
export function scan(name, asOf) {
  const folder = path.join(evidence, name);
  const before = digest(folder);
  const start = Date.now();
  const report = run(folder, asOf);
  const seconds = (Date.now() - start) / 1000;
  return { name, report, seconds, untouched: digest(folder) === before };
}
