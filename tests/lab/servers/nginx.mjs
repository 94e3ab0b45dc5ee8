// TLS and access logs: a CA of the run's own, and nginx in front of every server.
import { execFileSync, spawn } from 'node:child_process';
import { X509Certificate, createHash } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { hosts, logs, port, work } from '../places.mjs';

const tls = path.join(work, 'tls');
const openssl = (...args) => execFileSync('openssl', args, { cwd: tls, stdio: 'pipe' });

/** Makes ca.pem, a server certificate for every host, and the SAML signing key, valid for two days. */
export function makeCertificates() {
  fs.mkdirSync(tls, { recursive: true });
  const names = Object.keys(hosts).map((host) => `DNS:${host}`).join(',');
  fs.writeFileSync(path.join(tls, 'san.cnf'), `subjectAltName=${names}\nextendedKeyUsage=serverAuth\n`);
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...ec, '-days', '2', '-subj', '/CN=tokentrail lab CA', '-keyout', 'ca.key', '-out', 'ca.pem');
  openssl('req', ...ec, '-subj', '/CN=lab.test', '-keyout', 'server.key', '-out', 'server.csr');
  openssl('x509', '-req', '-in', 'server.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2',
    '-extfile', 'san.cnf', '-out', 'server.pem');
  openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=saml.lab.test',
    '-keyout', 'saml.key', '-out', 'saml.pem');
}

/** Base64 SHA-256 of the server's public key, as Chromium's flag wants it. */
export function certificateHash() {
  const { publicKey } = new X509Certificate(fs.readFileSync(path.join(tls, 'server.pem')));
  return createHash('sha256').update(publicKey.export({ type: 'spki', format: 'der' })).digest('base64');
}

const server = ([host, backend]) => `
  server {
    listen 127.0.0.1:${port} ssl;
    server_name ${host};
    access_log ${logs}/${host}/access.log combined;
    ${host === 'idp.lab.test' ? `access_log ${logs}/idp-verbose/access.json verbose;` : ''}
    location / { proxy_pass http://127.0.0.1:${backend}; }
  }`;

const configuration = () => `
daemon off; master_process off; worker_processes 1; pid ${work}/nginx.pid; error_log ${work}/nginx-error.log;
events { worker_connections 256; }
http {
  log_format verbose escape=json '{"time":"$time_iso8601","client":"$remote_addr","method":"$request_method",'
    '"uri":"$scheme://$http_host$request_uri","status":$status,"location":"$sent_http_location",'
    '"authorization":"$http_authorization","referer":"$http_referer","body":"$request_body"}';
  client_body_temp_path ${work}/tmp; proxy_temp_path ${work}/tmp; fastcgi_temp_path ${work}/tmp;
  uwsgi_temp_path ${work}/tmp; scgi_temp_path ${work}/tmp;
  ssl_certificate ${tls}/server.pem; ssl_certificate_key ${tls}/server.key;
  proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto https;
  gzip on; gzip_min_length 64; gzip_proxied any; gzip_types application/json text/javascript;
  proxy_buffer_size 32k; proxy_buffers 8 32k; large_client_header_buffers 8 32k;
  ${Object.entries(hosts).map(server).join('')}
}`;

const listening = () => new Promise((resolve) => {
  const socket = net.connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true); });
  socket.on('error', () => resolve(false));
});

/** Starts nginx and waits until it listens; resolves to the child process. */
export async function startNginx() {
  for (const host of [...Object.keys(hosts), 'idp-verbose']) fs.mkdirSync(path.join(logs, host), { recursive: true });
  fs.mkdirSync(path.join(work, 'tmp'), { recursive: true });
  const file = path.join(work, 'nginx.conf');
  fs.writeFileSync(file, configuration());
  const child = spawn('/usr/sbin/nginx', ['-c', file, '-e', `${work}/nginx-error.log`], { stdio: 'inherit' });
  process.once('exit', () => child.kill());
  for (let tries = 0; tries < 50; tries += 1) {
    if (await listening()) return child;
    await pause(100);
  }
  child.kill();
  throw new Error('nginx does not listen');
}
