// One HTTPS request to a host of the lab, by name, always to 127.0.0.1, trusting the lab's own CA only.
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { work } from './places.mjs';

const lookup = (_name, options, done) =>
  options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4);

/** Sends `form` as a POST, or a GET without one; resolves to {status, headers, text, json}. */
export function call(url, { form, headers = {} } = {}) {
  const body = form && new URLSearchParams(form).toString();
  const sent = body === undefined ? headers : { 'content-type': 'application/x-www-form-urlencoded', ...headers };
  return new Promise((resolve, reject) => {
    const request = https.request(url, {
      method: body === undefined ? 'GET' : 'POST', headers: sent, lookup, timeout: 10_000,
      ca: fs.readFileSync(path.join(work, 'tls/ca.pem')),
    }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () => {
        const text = Buffer.concat(parts).toString();
        let json = null;
        try { json = JSON.parse(text); } catch { /* not every answer is JSON */ }
        resolve({ status: response.statusCode, headers: response.headers, text, json });
      });
    });
    request.on('error', reject);
    request.on('timeout', () => request.destroy(new Error(`no answer from ${new URL(url).host}`)));
    request.end(body);
  });
}

/** `Authorization: Basic` of a client (RFC 6749 §2.3.1). */
export const basic = (id, secret) => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
